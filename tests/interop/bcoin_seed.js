// A bcoin full node on mainnet that has the blocks of a framed file (magic, size, raw block) and serves them on
// loopback: node bcoin_seed.js --blocks=FILE --port=PORT
'use strict';

const fs = require('fs');
const {bcoin, fail, openNode, readArguments, say} = require('./bcoin_node');

async function loadBlocks(chain, file, magic) {
  const bytes = fs.readFileSync(file);
  let at = 0;
  while (at < bytes.length) {
    if (at + 8 > bytes.length || bytes.readUInt32LE(at) !== magic)
      fail(`${file} has no block at byte ${at}`);
    const size = bytes.readUInt32LE(at + 4);
    if (at + 8 + size > bytes.length)
      fail(`${file} ends inside the block at byte ${at}`);
    const block = bcoin.Block.fromRaw(bytes.slice(at + 8, at + 8 + size));
    if (!await chain.add(block))
      fail(`block ${block.rhash()} does not connect`);
    at += 8 + size;
  }
}

async function main() {
  const options = readArguments(['blocks', 'port']);
  const node = await openNode('main', {listen: true, host: '127.0.0.1', port: Number(options.port)});
  await loadBlocks(node.chain, options.blocks, node.network.magic);
  // bcoin serves blocks only when it believes itself synced, and a tip of 2009 never looks recent.
  node.chain.synced = true;
  await node.pool.connect();
  say({event: 'ready', height: node.chain.height, tip: node.chain.tip.rhash()});
}

main().catch(fail);
