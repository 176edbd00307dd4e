-- Sends the bytes of a file as they are, over and over, and says what came of it in one line of numbers.
--
-- wrk asks `wrk.format` once for each thread, so that nothing runs here while it measures.
function init(args)
   local file = assert(io.open(args[1], "rb"))
   local bytes = file:read("*a")
   file:close()
   wrk.format = function() return bytes end
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format("bench %d %d %d %d %d %d %d %d %d\n",
      summary.requests, summary.duration, errors.connect, errors.read, errors.write, errors.status, errors.timeout,
      latency:percentile(50), latency:percentile(99)))
end
