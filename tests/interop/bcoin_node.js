// A bcoin full node that lives in memory and talks to loopback only. Shared by the drivers in this folder.
'use strict';

process.env.NODE_BACKEND = 'js';

const fs = require('fs');
const os = require('os');
const path = require('path');
const net = require('net');
const bcoin = require('bcoin');

// One JSON object a line, flushed at once: the tests read them as they come.
function say(object) {
  fs.writeSync(1, JSON.stringify(object) + '\n');
}

function fail(error) {
  fs.writeSync(2, `Error: ${error && error.stack ? error.stack : error}\n`);
  process.exit(1);
}

// --name=value words into an object; everything is required.
function readArguments(names) {
  const values = {};
  for (const word of process.argv.slice(2)) {
    const match = /^--([a-z-]+)=(.*)$/.exec(word);
    if (!match || !names.includes(match[1]))
      fail(`what is ${word}? The arguments are ${names.map(name => `--${name}=`).join(' ')}`);
    values[match[1]] = match[2];
  }
  for (const name of names) {
    if (values[name] === undefined)
      fail(`--${name}= is missing`);
  }
  return values;
}

// Whatever bcoin has in mind, no connection leaves the machine.
function connectOnLoopback(port, host) {
  if (host !== '127.0.0.1')
    fail(`bcoin wanted to connect to ${host}:${port}`);
  return net.connect(port, host);
}

function describeVersion(packet) {
  return {
    version: packet.version,
    services: packet.services,
    time: packet.time,
    agent: packet.agent,
    height: packet.height,
    noRelay: packet.noRelay,
    nonce: packet.nonce.toString('hex'),
    receiver: {host: packet.remote.host, port: packet.remote.port, services: packet.remote.services},
    sender: {host: packet.local.host, port: packet.local.port, services: packet.local.services}
  };
}

async function openNode(network, poolOptions) {
  const prefix = fs.mkdtempSync(path.join(os.tmpdir(), 'headrace-bcoin-'));
  process.on('exit', () => fs.rmSync(prefix, {recursive: true, force: true}));
  const node = new bcoin.FullNode(Object.assign({
    network: network,
    memory: true,
    prefix: prefix,
    logLevel: 'none',
    checkpoints: false,
    workers: false,
    httpHost: '127.0.0.1',
    httpPort: 0,
    noAuth: true,
    seeds: [],
    nodes: [],
    upnp: false,
    compact: false
  }, poolOptions));
  node.on('error', error => say({event: 'error', message: error.message}));
  node.pool.options.createSocket = connectOnLoopback;
  // These would ask name servers for our own address and for peers.
  node.pool.discoverExternal = async () => {};
  node.pool.discoverGateway = async () => {};
  node.pool.discoverSeeds = async () => {};
  // The address book comes filled with public nodes; only the peers named in `only` are ever tried.
  node.pool.hosts.getHost = () => null;
  node.pool.on('packet', (packet, peer) => {
    if (packet.cmd === 'version')
      say({event: 'version', peer: peer.hostname(), outbound: peer.outbound,
        localPort: peer.socket.localPort, packet: describeVersion(packet)});
  });
  node.pool.on('peer open', peer => say({event: 'peer open', peer: peer.hostname()}));
  node.pool.on('peer close', peer => say({event: 'peer close', peer: peer.hostname()}));
  await node.open();
  return node;
}

process.on('unhandledRejection', fail);
process.on('uncaughtException', fail);
process.on('SIGTERM', () => process.exit(0));

module.exports = {bcoin, fail, openNode, readArguments, say};
