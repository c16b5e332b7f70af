// A bcoin full node on mainnet that starts from nothing, connects to one peer on loopback and syncs from it by
// getblocks: node bcoin_sync.js --connect=127.0.0.1:PORT --height=HEIGHT. Ends once it has that height.
'use strict';

const {fail, openNode, readArguments, say} = require('./bcoin_node');

async function main() {
  const options = readArguments(['connect', 'height']);
  const height = Number(options.height);
  const node = await openNode('main', {listen: false, only: [options.connect], maxOutbound: 1});
  node.on('connect', (entry) => {
    if (entry.height < height)
      return;
    say({event: 'synced', height: entry.height, tip: entry.rhash()});
    process.exit(0);
  });
  await node.pool.connect();
  node.pool.startSync();
  say({event: 'connecting', peer: options.connect});
}

main().catch(fail);
