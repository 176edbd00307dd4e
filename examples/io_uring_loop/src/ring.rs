//! The ring that the kernel and this thread share: operations go in, completions come out.
//!
//! The rule: whatever the kernel has been told of stays where it is until the kernel has said that it is done with it.
//! A descriptor and the bytes that are sent belong to their operation, which stays in its slot until the last
//! completion comes; the buffers that are received into belong to the ring, which goes only after every operation has.
//! This is the only module with `unsafe` in it, and what it offers is safe.
#![allow(unsafe_code)]

#[cfg(test)]
mod tests;

use std::alloc::{self, Layout};
use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::mem;
use std::ops::Deref;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;
use std::rc::Rc;
use std::slice;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use io_uring::types::{BufRingEntry, Fd, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};

/// How many bytes a buffer holds. The kernel fills some thirty in a row for one socket before it tells of any, so that this
/// says how far one is read ahead at most.
const BUFFER: usize = 4 << 10;
/// How many buffers there are for all connections; the kernel wants a power of two.
const BUFFERS: u16 = 1024;
/// The number that the kernel knows the buffers by.
const GROUP: u16 = 0;
/// How many operations go to the kernel at once.
const ENTRIES: u32 = 1024;
/// The page, to which the kernel wants the list of buffers aligned.
const PAGE: usize = 4096;
/// What a cancellation is known by: it has no slot, and nobody waits for its own completion.
const CANCELLATION: u64 = u64::MAX;
/// How often, and for how long each time, the end waits for operations that were cancelled.
const PATIENCE: (usize, Duration) = (10, Duration::from_secs(1));

/// A descriptor that operations share: it is closed when nobody has it any more, the kernel included.
pub(crate) type Descriptor = Rc<OwnedFd>;

/// Why there is no ring to be had.
#[derive(Debug)]
pub(crate) enum Unavailable {
    /// The kernel does not know `io_uring`, or keeps it from this process.
    Forbidden(io::Error),
    /// It lacks something that this loop stands on.
    TooOld,
    /// Whatever else the operating system says.
    Failed(io::Error),
}

impl Unavailable {
    /// Whether it is the kernel that does not let a process have one.
    pub(crate) fn is_refusal(&self) -> bool {
        !matches!(self, Self::Failed(_))
    }
}

impl From<io::Error> for Unavailable {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::ENOSYS | libc::EPERM | libc::EACCES) => Self::Forbidden(error),
            Some(libc::EINVAL) => Self::TooOld,
            _ => Self::Failed(error),
        }
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden(error) => write!(f, "the kernel forbids io_uring: {error}"),
            Self::TooOld => f.write_str("the kernel is too old for this use of io_uring: it takes Linux 6.1"),
            Self::Failed(error) => write!(f, "io_uring cannot be set up: {error}"),
        }
    }
}

/// An operation that is under way, to cancel it by. It is void once its last completion has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket(usize);

/// What came of an operation.
#[derive(Debug)]
pub(crate) struct Completion {
    /// Who asked for it.
    pub(crate) owner: usize,
    /// What has happened.
    pub(crate) event: Event,
    /// Nothing more comes of the operation.
    pub(crate) last: bool,
}

/// What has happened.
#[derive(Debug)]
pub(crate) enum Event {
    /// A connection, or why there is none.
    Accepted(io::Result<OwnedFd>),
    /// Bytes; `None` is a FIN.
    Received(io::Result<Option<Buffer>>),
    /// How many bytes were taken from the front, and all of them back.
    Sent(io::Result<usize>, Vec<u8>),
    /// Whether the socket has met an error; otherwise one of its directions has ended.
    Watched(bool),
}

/// What the kernel has been told of.
struct Operation {
    owner: usize,
    kind: Kind,
    descriptor: Descriptor,
    /// What is sent. Nobody touches it while the operation is under way.
    bytes: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Kind {
    Accept,
    Receive,
    Send,
    Watch,
}

/// The ring. It stays on its thread, as the kernel has been promised.
pub(crate) struct Ring {
    uring: IoUring,
    /// What does not go to the kernel yet, in order: it does by the next [`wait`](Self::wait).
    waiting: VecDeque<squeue::Entry>,
    /// The slots of the operations under way; the kernel knows each by its place.
    operations: Vec<Option<Operation>>,
    free: Vec<usize>,
    buffers: Rc<Buffers>,
}

impl Ring {
    /// Sets a ring up for the calling thread.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    pub(crate) fn new() -> Result<Self, Unavailable> {
        let uring = IoUring::builder()
            .setup_cqsize(4 * ENTRIES)
            .setup_single_issuer()
            .setup_defer_taskrun()
            .build(ENTRIES)?;
        let buffers = Rc::new(Buffers::new());
        let list = buffers.list.as_ptr() as u64;
        // SAFETY: the list is aligned to a page, holds as many entries, and stays as long as the ring knows it, by
        // the ring's `drop`.
        unsafe { uring.submitter().register_buf_ring_with_flags(list, BUFFERS, GROUP, 0) }?;
        (0..BUFFERS).for_each(|id| buffers.provide(id));
        let (waiting, operations, free) = Default::default();
        Ok(Self { uring, waiting, operations, free, buffers })
    }

    /// Accepts connections until it is cancelled, or fails.
    pub(crate) fn accept(&mut self, owner: usize, listener: &Descriptor) -> Ticket {
        let make = |operation: &Operation| {
            opcode::AcceptMulti::new(operation.fd()).flags(libc::SOCK_CLOEXEC).build()
        };
        self.begin(owner, Kind::Accept, listener, Vec::new(), make)
    }

    /// Receives until it is cancelled, fails, or no buffer is left. None is taken before there is something to receive.
    pub(crate) fn receive(&mut self, owner: usize, socket: &Descriptor) -> Ticket {
        let make = |operation: &Operation| opcode::RecvMulti::new(operation.fd(), GROUP).build();
        self.begin(owner, Kind::Receive, socket, Vec::new(), make)
    }

    /// Sends from the front of `bytes`.
    pub(crate) fn send(&mut self, owner: usize, socket: &Descriptor, bytes: Vec<u8>) -> Ticket {
        let make = |operation: &Operation| {
            // More than this there is not, and if there were it would be sent by the next one.
            let length = u32::try_from(operation.bytes.len()).unwrap_or(u32::MAX);
            opcode::Send::new(operation.fd(), operation.bytes.as_ptr(), length)
                .flags(libc::MSG_NOSIGNAL)
                .build()
        };
        self.begin(owner, Kind::Send, socket, bytes, make)
    }

    /// Tells of each error of the socket and of each end of a direction, until it is cancelled.
    pub(crate) fn watch(&mut self, owner: usize, socket: &Descriptor) -> Ticket {
        let make = |operation: &Operation| opcode::PollAdd::new(operation.fd(), 0).multi(true).build();
        self.begin(owner, Kind::Watch, socket, Vec::new(), make)
    }

    /// Cancels an operation, whose last completion then comes soon.
    pub(crate) fn cancel(&mut self, ticket: Ticket) {
        let entry = opcode::AsyncCancel::new(ticket.0 as u64).build();
        self.waiting.push_back(entry.user_data(CANCELLATION));
    }

    /// Tells the kernel of all that was asked for, and waits for completions: at most so long, or for ever.
    ///
    /// # Errors
    ///
    /// What the operating system says, other than that nothing has come.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>, into: &mut Vec<Completion>) -> io::Result<()> {
        match self.enter(timeout) {
            Err(error) if is_passing(&error) => {}
            result => result?,
        }
        for entry in self.uring.completion() {
            let Some(slot) = self.operations.get_mut(entry.user_data() as usize) else { continue };
            let last = !cqueue::more(entry.flags());
            let Some(operation) = slot.as_mut() else { continue };
            let owner = operation.owner;
            // SAFETY: the entry is a completion of this operation of this ring's, and is seen once.
            let event = unsafe { operation.event(&entry, &self.buffers) };
            if last {
                *slot = None;
                self.free.push(entry.user_data() as usize);
            }
            into.push(Completion { owner, event, last });
        }
        Ok(())
    }

    /// Puts an operation in a slot, where the kernel finds what belongs to it.
    fn begin(
        &mut self,
        owner: usize,
        kind: Kind,
        descriptor: &Descriptor,
        bytes: Vec<u8>,
        make: impl FnOnce(&Operation) -> squeue::Entry,
    ) -> Ticket {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.operations.push(None);
            self.operations.len() - 1
        });
        let operation = Operation { owner, kind, descriptor: descriptor.clone(), bytes };
        let entry = make(self.operations[slot].insert(operation));
        self.waiting.push_back(entry.user_data(slot as u64));
        Ticket(slot)
    }

    fn enter(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        while self.fill() {
            self.uring.submit()?;
        }
        match timeout.map(Timespec::from) {
            None => self.uring.submit_and_wait(1)?,
            Some(time) => self.uring.submitter().submit_with_args(1, &SubmitArgs::new().timespec(&time))?,
        };
        Ok(())
    }

    /// Moves what waits into the shared queue; whether something is left.
    fn fill(&mut self) -> bool {
        let mut queue = self.uring.submission();
        while let Some(entry) = self.waiting.front() {
            // SAFETY: it was made by one of the methods above. All that it points at are the bytes of an operation, which
            // stay untouched and in one place on the heap until `wait` sees the operation's last completion; if that
            // never comes, `drop` leaves them for good. The descriptor is open for as long.
            if unsafe { queue.push(entry) }.is_err() {
                return true;
            }
            self.waiting.pop_front();
        }
        false
    }

    /// Cancels all that is under way, and waits for it to be over; whether it is.
    fn end(&mut self) -> bool {
        let under_way = |slot: &Option<Operation>| slot.is_some();
        for slot in
            (0..self.operations.len()).filter(|slot| self.operations[*slot].is_some()).collect::<Vec<_>>()
        {
            self.cancel(Ticket(slot));
        }
        let (mut patience, mut completions) = (PATIENCE.0, Vec::new());
        while self.operations.iter().any(under_way) && patience > 0 {
            let waited = self.wait(Some(PATIENCE.1), &mut completions);
            if waited.is_err() || completions.is_empty() {
                patience -= 1;
            }
            completions.clear();
        }
        !self.operations.iter().any(under_way)
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        if self.end() && self.uring.submitter().unregister_buf_ring(GROUP).is_ok() {
            return;
        }
        // The kernel may still use them: they stay for good.
        mem::forget(mem::take(&mut self.operations));
        mem::forget(self.buffers.clone());
    }
}

/// Whether it is only that nothing has come, or that completions must be taken first.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ETIME | libc::EINTR | libc::EBUSY | libc::EAGAIN))
}

impl Operation {
    fn fd(&self) -> Fd {
        Fd(self.descriptor.as_raw_fd())
    }

    /// What a completion of this operation says.
    ///
    /// # Safety
    ///
    /// `entry` must be a completion of this operation, on the ring of these buffers, that is not seen twice: it gives
    /// away a descriptor or a buffer.
    unsafe fn event(&mut self, entry: &cqueue::Entry, buffers: &Rc<Buffers>) -> Event {
        let count = entry.result();
        let result = match count {
            0.. => Ok(count as usize),
            error => Err(io::Error::from_raw_os_error(-error)),
        };
        match self.kind {
            // SAFETY: the kernel has opened the descriptor for whoever sees this completion.
            Kind::Accept => Event::Accepted(result.map(|_| unsafe { OwnedFd::from_raw_fd(count) })),
            Kind::Receive => {
                let length = result.as_ref().map_or(0, |length| (*length).min(BUFFER));
                // A buffer that came with nothing in it goes back at once.
                let buffer = cqueue::buffer_select(entry.flags())
                    .map(|id| Buffer { id, length, buffers: buffers.clone() })
                    .filter(|buffer| buffer.length > 0);
                Event::Received(result.map(|_| buffer))
            }
            Kind::Send => Event::Sent(result, mem::take(&mut self.bytes)),
            Kind::Watch => Event::Watched(result.is_ok() && count as u32 & libc::POLLERR as u32 != 0),
        }
    }
}

/// The memory that is received into, and the list of what of it is the kernel's to use.
struct Buffers {
    list: NonNull<BufRingEntry>,
    memory: NonNull<u8>,
    /// How many buffers were ever given to the kernel.
    given: Cell<u16>,
}

impl Buffers {
    const MEMORY: Layout = layout(BUFFERS as usize * BUFFER);
    const LIST: Layout = layout(BUFFERS as usize * size_of::<BufRingEntry>());

    fn new() -> Self {
        // Zeroed, so that all of it may be read as bytes, and as entries.
        let (list, memory) = (allocate(Self::LIST).cast(), allocate(Self::MEMORY));
        Self { list, memory, given: Cell::new(0) }
    }

    /// Gives the kernel the buffer `id`, which it does not have.
    fn provide(&self, id: u16) {
        let given = self.given.get();
        // SAFETY: it is below the number of entries, for which there is room.
        let entry = unsafe { self.list.add((given % BUFFERS) as usize) };
        // SAFETY: it is below the number of buffers, for which there is room.
        let start = unsafe { self.memory.add(id as usize * BUFFER) };
        // SAFETY: at most as many buffers as there are entries are the kernel's at a time, so that it has read this
        // entry; nobody else refers to it. The tail, which lies in the first one, is not among what is set.
        let entry = unsafe { &mut *entry.as_ptr() };
        entry.set_addr(start.as_ptr() as u64);
        entry.set_len(BUFFER as u32);
        entry.set_bid(id);
        // SAFETY: it is the address of the first entry.
        let tail = unsafe { BufRingEntry::tail(self.list.as_ptr()) };
        // SAFETY: the tail lies in the list, is aligned, and is only ever read and written as an atomic.
        let tail = unsafe { AtomicU16::from_ptr(tail.cast_mut()) };
        // The kernel reads the entry only when it has seen this.
        tail.store(given.wrapping_add(1), Ordering::Release);
        self.given.set(given.wrapping_add(1));
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        // SAFETY: it was allocated so, and the ring that the kernel knew it by is gone: `Ring` and every `Buffer`
        // hold on to it.
        unsafe { alloc::dealloc(self.list.as_ptr().cast(), Self::LIST) };
        // SAFETY: as above.
        unsafe { alloc::dealloc(self.memory.as_ptr(), Self::MEMORY) };
    }
}

const fn layout(size: usize) -> Layout {
    match Layout::from_size_align(size, PAGE) {
        Ok(layout) => layout,
        Err(_) => panic!("the sizes are small"),
    }
}

fn allocate(layout: Layout) -> NonNull<u8> {
    // SAFETY: the layout is one of the two above, which are not empty.
    let memory = unsafe { alloc::alloc_zeroed(layout) };
    NonNull::new(memory).unwrap_or_else(|| alloc::handle_alloc_error(layout))
}

/// Bytes that were received. It goes back to the kernel when it is dropped, so nobody keeps it for long.
pub(crate) struct Buffer {
    id: u16,
    length: usize,
    buffers: Rc<Buffers>,
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: `id` is one of the buffers', so it is in the memory.
        let start = unsafe { self.buffers.memory.add(self.id as usize * BUFFER) };
        // SAFETY: `length` is at most that of a buffer, all of it is initialised, and nobody writes to it: the kernel
        // has given it away, and gets it back when this is dropped.
        unsafe { slice::from_raw_parts(start.as_ptr(), self.length) }
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} bytes)", self.length)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.buffers.provide(self.id);
    }
}
