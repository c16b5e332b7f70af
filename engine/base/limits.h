// Limits of the network and of this node that more than one folder needs. Each says where it comes from.
#pragma once

#include <cstddef>
#include <cstdint>

namespace headrace {

// BIP141: serialised size and weight of a block.
inline constexpr uint32_t kMaxBlockSerializedBytes = 4'000'000;
inline constexpr uint32_t kMaxBlockWeight = 4'000'000;
inline constexpr uint32_t kWitnessScaleFactor = 4;

// No valid transaction has fewer than 60 bytes (an input of 41, an output of 9, counts, version and lock time), so that no valid
// block has more than these.
inline constexpr uint32_t kMinTransactionWeight = 60 * kWitnessScaleFactor;
inline constexpr uint32_t kMaxBlockTransactions = kMaxBlockWeight / kMinTransactionWeight;

// The largest element count or length that any decoder believes (the field's MAX_SIZE).
inline constexpr uint32_t kMaxCompactSize = 0x02000000;

// A message body may not be larger than this (the field's MAX_PROTOCOL_MESSAGE_LENGTH).
inline constexpr uint32_t kMaxMessageBytes = 4'000'000;

inline constexpr uint32_t kMaxHeadersPerMessage = 2000;
inline constexpr uint32_t kMaxInventoryPerMessage = 50'000;
inline constexpr uint32_t kMaxLocatorHashes = 101;
inline constexpr uint32_t kMaxBlocksPerGetBlocks = 500;

// Blocks in flight to one peer (MAX_BLOCKS_IN_TRANSIT_PER_PEER); `-maxblocksintransit` changes it.
inline constexpr uint32_t kMaxBlocksInTransitPerPeer = 16;

// How far ahead of the tip blocks are asked for (BLOCK_DOWNLOAD_WINDOW).
inline constexpr uint32_t kBlockDownloadWindow = 1024;

}  // namespace headrace
