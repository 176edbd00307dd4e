'use strict';
const $ = id => document.getElementById(id);
const SHOWN = 60, COLDEST = 180, HOTTEST = 220;
const readings = [];
let count = 0, missed = 0;

function showState(text, isOpen) {
    $('state').lastElementChild.textContent = text;
    $('state').classList.toggle('open', isOpen);
}

function draw() {
    const last = readings.at(-1).at;
    const point = ({at, degrees}) => `${SHOWN - (last - at)},${40 - (degrees - COLDEST) / (HOTTEST - COLDEST) * 40}`;
    $('curve').firstElementChild.setAttribute('points', readings.map(point).join(' '));
}

function show(reading) {
    const before = readings.at(-1);
    if (before) missed += reading.at - before.at - 1;
    count += 1;
    readings.push(reading);
    if (readings.length > SHOWN) readings.shift();
    $('degrees').textContent = reading.degrees.toFixed(1);
    $('count').textContent = count;
    $('missed').textContent = missed;
    $('at').textContent = new Date(reading.at * 1000).toLocaleTimeString();
    draw();
}

const source = new EventSource('events');
source.onopen = () => showState('Live', true);
// The browser connects again by itself, unless it was told not to.
source.onerror = () => showState(source.readyState === EventSource.CLOSED ? 'The server says no.' : 'The connection is lost. Connecting again \u2026', false);
source.onmessage = event => show(JSON.parse(event.data));
