'use strict';
const $ = id => document.getElementById(id);
const stages = {waiting: 'in the queue', baking: 'in the oven', baked: 'ready', stopped: 'left in the oven'};

function showState(text, isOpen) {
    $('state').lastElementChild.textContent = text;
    $('state').classList.toggle('open', isOpen);
}

function line({id, loaves, baked, stage}) {
    const made = document.createElement('li'), row = document.createElement('div');
    const name = document.createElement('span'), soft = document.createElement('span');
    const bar = document.createElement('progress');
    row.className = 'row';
    name.className = 'wide';
    name.textContent = `Order ${id}: ${loaves === 1 ? 'a loaf' : `${loaves} loaves`}`;
    soft.className = 'small soft';
    soft.textContent = stages[stage];
    bar.max = loaves;
    bar.value = baked;
    bar.setAttribute('aria-label', `Order ${id}`);
    row.append(name, soft);
    made.append(row, bar);
    return made;
}

const source = new EventSource('events');
source.onopen = () => showState('Live', true);
source.onerror = () => showState('The connection is lost. Connecting again \u2026', false);
source.onmessage = event => {
    const jobs = JSON.parse(event.data);
    $('list').replaceChildren(...jobs.map(line));
    $('none').hidden = jobs.length > 0;
};

$('order').onsubmit = async event => {
    event.preventDefault();
    const body = JSON.stringify({loaves: $('loaves').valueAsNumber});
    const answer = await fetch('jobs', {method: 'POST', headers: {'Content-Type': 'application/json'}, body});
    if (!answer.ok) showState(answer.status === 503 ? 'There is too much to do already.' : `The server says ${answer.status}.`, false);
    else if (source.readyState === EventSource.OPEN) showState('Live', true);
};
