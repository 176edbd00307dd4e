'use strict';
const $ = id => document.getElementById(id);
let request = null;

function size(bytes) {
    const units = ['B', 'KiB', 'MiB', 'GiB'];
    const unit = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
    return `${(bytes / 1024 ** unit).toFixed(unit ? 1 : 0)} ${units[unit]}`;
}

function say(text, isBad) {
    $('state').textContent = text;
    $('state').classList.toggle('bad', isBad);
}

// What a file is called is text, whatever it says.
function line({id, name, bytes}) {
    const made = document.createElement('li'), link = document.createElement('a');
    const soft = document.createElement('span'), remove = document.createElement('button');
    made.className = 'row';
    link.className = 'wide';
    link.href = `files/${id}`;
    link.textContent = name;
    soft.className = 'small soft';
    soft.textContent = size(bytes);
    remove.className = 'quiet small';
    remove.textContent = 'Remove';
    remove.setAttribute('aria-label', `Remove ${name}`);
    remove.onclick = async () => {
        await fetch(link.href, {method: 'DELETE'});
        await list();
    };
    made.append(link, soft, remove);
    return made;
}

async function list() {
    const saved = await (await fetch('files')).json();
    $('list').replaceChildren(...saved.map(line));
    $('none').hidden = saved.length > 0;
}

function busy(isBusy) {
    $('bar').hidden = $('cancel').hidden = !isBusy;
    $('send').disabled = $('files').disabled = isBusy;
    $('bar').value = 0;
}

async function over({target}) {
    busy(false);
    if (target.status === 201) {
        const saved = JSON.parse(target.response);
        say(saved.length === 1 ? 'One file is saved.' : `${saved.length} files are saved.`, false);
        $('form').reset();
    } else {
        say(target.status === 413 ? 'That is too much.' : `The server says ${target.status}.`, true);
    }
    await list();
}

// `fetch` tells nothing of what was sent so far; this does.
function send() {
    const form = new FormData($('form'));
    request = new XMLHttpRequest();
    request.upload.onprogress = ({loaded, total}) => {
        $('bar').value = loaded / total;
        say(`${size(loaded)} of ${size(total)}`, false);
    };
    request.onload = over;
    request.onerror = () => { busy(false); say('The connection was lost.', true); };
    request.onabort = () => { busy(false); say('Cancelled.', false); };
    request.open('POST', 'files');
    request.setRequestHeader('Accept', 'application/json');
    busy(true);
    request.send(form);
}

$('form').onsubmit = event => {
    event.preventDefault();
    send();
};
$('cancel').onclick = () => request.abort();
$('drop').ondragover = event => event.preventDefault();
$('drop').ondrop = event => {
    event.preventDefault();
    $('files').files = event.dataTransfer.files;
};
list();
