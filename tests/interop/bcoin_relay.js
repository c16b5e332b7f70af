// Two bcoin full nodes on regtest in one process, both connected to one peer on loopback and to nobody else. The first mines blocks
// with transactions, one after another, and each must reach the second through the peer:
// node bcoin_relay.js --connect=127.0.0.1:PORT --blocks=COUNT. Both speak compact blocks (BIP152); what each was sent is counted.
'use strict';

const {bcoin, fail, openNode, readArguments, say} = require('./bcoin_node');

const MATURITY = 100;

function countPackets(node) {
  const counts = {};
  node.pool.on('packet', (packet, peer) => {
    counts[packet.cmd] = (counts[packet.cmd] || 0) + 1;
    // bcoin takes the first sendcmpct of a peer for its last; BIP152 lets a peer choose its announcers later.
    if (packet.cmd === 'sendcmpct' && packet.version === 2)
      peer.compactMode = packet.mode;
  });
  return counts;
}

function waitFor(what, done) {
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + 60000;
    const look = () => {
      if (done())
        resolve();
      else if (Date.now() > deadline)
        reject(new Error(`${what} did not happen within a minute`));
      else
        setTimeout(look, 20);
    };
    look();
  });
}

async function mine(node, ring, transactions) {
  const job = await node.miner.createJob();
  for (const transaction of transactions)
    job.addTX(transaction.tx, transaction.view);
  job.refresh();
  const block = await job.mineAsync();
  if (!await node.chain.add(block))
    throw new Error('the miner\'s own block does not connect');
  return block;
}

// Spends the coinbase of a block that is old enough.
async function spendCoinbase(node, ring, height) {
  const block = await node.chain.getBlock(height);
  const mtx = new bcoin.MTX();
  mtx.addTX(block.txs[0], 0, height);
  mtx.addOutput({address: ring.getAddress(), value: block.txs[0].outputs[0].value - 10000});
  mtx.sign(ring);
  return {tx: mtx.toTX(), view: mtx.view};
}

async function main() {
  const options = readArguments(['connect', 'blocks']);
  const count = Number(options.blocks);
  const pool = {listen: false, only: [options.connect], maxOutbound: 1, compact: true};
  const miner = await openNode('regtest', pool);
  const follower = await openNode('regtest', pool);
  const atMiner = countPackets(miner);
  const atFollower = countPackets(follower);
  const ring = bcoin.KeyRing.generate(miner.network);
  miner.miner.addresses = [ring.getAddress()];
  for (let height = 1; height <= MATURITY + 3 * count; height++)
    await mine(miner, ring, []);
  // A chain that is this young counts as synced.
  for (const node of [miner, follower]) {
    node.chain.synced = true;
    // A full node does not pass this option on. Its pool asks to be told of new blocks by compact blocks at once.
    node.pool.options.blockMode = 1;
    await node.pool.connect();
    node.pool.startSync();
  }
  const isTogether = () => follower.chain.tip.hash === miner.chain.tip.hash;
  await waitFor('the first sync', isTogether);
  say({event: 'synced', height: follower.chain.height});
  let spent = 1;
  for (let i = 0; i < count; i++) {
    const transactions = [];
    for (let t = 0; t < 3; t++)
      transactions.push(await spendCoinbase(miner, ring, spent++));
    await mine(miner, ring, transactions);
    await waitFor(`block ${miner.chain.height}`, isTogether);
  }
  say({event: 'relayed', height: follower.chain.height, tip: follower.chain.tip.rhash(), miner: atMiner, follower: atFollower});
  // Stays, so that the peer can be asked about both.
  setTimeout(() => process.exit(0), 60000);
}

main().catch(fail);
