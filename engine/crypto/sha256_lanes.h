// SHA-256 of many messages side by side: word i of kLanes messages in one vector. Included by one file per instruction set, which
// defines HR_LANES_TARGET (the target attribute), kLanes and the vector operations below before it does; everything here
// is then compiled for that set and for that file alone.
//
//   Vector                                 kLanes words of 32 bits
//   Vector LoadBig(const uint8_t*)         kLanes big-endian words
//   void StoreBig(uint8_t*, Vector)        the same outwards
//   Vector ZipLow(a, b), ZipHigh(a, b)     a0 b0 a1 b1 ... of the lower and of the upper halves
//
// No standard container and no function shared with other files is used: a shared inline function that is compiled here
// might be the copy that the linker keeps for everybody.

#define HR_LANES_INLINE HR_LANES_TARGET __attribute__((always_inline)) inline

HR_LANES_INLINE Vector Broadcast(uint32_t word) { return Vector{} + word; }
template <int kBy>
HR_LANES_INLINE Vector Rotate(Vector x) { return x >> kBy | x << (32 - kBy); }
HR_LANES_INLINE Vector BigSigma0(Vector x) { return Rotate<2>(x) ^ Rotate<13>(x) ^ Rotate<22>(x); }
HR_LANES_INLINE Vector BigSigma1(Vector x) { return Rotate<6>(x) ^ Rotate<11>(x) ^ Rotate<25>(x); }
HR_LANES_INLINE Vector LaneSigma0(Vector x) { return Rotate<7>(x) ^ Rotate<18>(x) ^ x >> 3; }
HR_LANES_INLINE Vector LaneSigma1(Vector x) { return Rotate<17>(x) ^ Rotate<19>(x) ^ x >> 10; }
HR_LANES_INLINE Vector Choose(Vector x, Vector y, Vector z) { return z ^ (x & (y ^ z)); }
HR_LANES_INLINE Vector Majority(Vector x, Vector y, Vector z) { return (x & y) | (z & (x | y)); }

// As in the portable path: the variables rotate by index, so that nothing is moved.
HR_LANES_INLINE void LaneRound(Vector* v, int i, Vector word_and_constant) {
  Vector& d = v[(3 - i) & 7];
  Vector& h = v[(7 - i) & 7];
  const Vector a = v[(0 - i) & 7], b = v[(1 - i) & 7], c = v[(2 - i) & 7];
  const Vector e = v[(4 - i) & 7], f = v[(5 - i) & 7], g = v[(6 - i) & 7];
  const Vector t = h + BigSigma1(e) + Choose(e, f, g) + word_and_constant;
  d += t;
  h = t + BigSigma0(a) + Majority(a, b, c);
}

// One block of every lane; `w` is overwritten by the schedule.
HR_LANES_TARGET void CompressLanes(Vector* state, Vector* w) {
  Vector v[8];
  for (int i = 0; i < 8; ++i) v[i] = state[i];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) LaneRound(v, i, w[i] + Broadcast(kRoundConstants[i]));
  for (int base = 16; base < 64; base += 16) {
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      w[i] += LaneSigma1(w[(i + 14) & 15]) + w[(i + 9) & 15] + LaneSigma0(w[(i + 1) & 15]);
      LaneRound(v, i, w[i] + Broadcast(kRoundConstants[base + i]));
    }
  }
  for (int i = 0; i < 8; ++i) state[i] += v[i];
}

// The block that pads a message of 64 bytes.
HR_LANES_TARGET void CompressNodePaddingLanes(Vector* state) {
  Vector v[8];
  for (int i = 0; i < 8; ++i) v[i] = state[i];
  for (int base = 0; base < 64; base += 8) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) LaneRound(v, i, Broadcast(kNodePaddingRounds[base + i]));
  }
  for (int i = 0; i < 8; ++i) state[i] += v[i];
}

// Rows to columns: as many perfect shuffles as kLanes has bits.
HR_LANES_INLINE void Transpose(Vector* rows) {
#pragma GCC unroll 4
  for (int width = 1; width < kLanes; width *= 2) {
    Vector next[kLanes];
#pragma GCC unroll 8
    for (int i = 0; i < kLanes / 2; ++i) {
      next[2 * i] = ZipLow(rows[i], rows[i + kLanes / 2]);
      next[2 * i + 1] = ZipHigh(rows[i], rows[i + kLanes / 2]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) rows[i] = next[i];
  }
}

// Sixteen words of the block at blocks[lane], for every lane.
HR_LANES_TARGET void LoadBlocks(const uint8_t* const* blocks, Vector* w) {
  for (int part = 0; part < 16; part += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) w[part + lane] = LoadBig(blocks[lane] + 4 * part);
    Transpose(w + part);
  }
}

// The digest of every lane to out[lane].
HR_LANES_TARGET void StoreDigests(const Vector* state, uint8_t* const* out) {
  Vector rows[kLanes] = {};
  for (int i = 0; i < 8; ++i) rows[i] = state[i];
  Transpose(rows);
  for (int lane = 0; lane < kLanes; ++lane) {
    alignas(sizeof(Vector)) uint8_t bytes[sizeof(Vector)];
    StoreBig(bytes, rows[lane]);
    __builtin_memcpy(out[lane], bytes, 32);
  }
}

HR_LANES_INLINE void InitialLanes(Vector* state) {
  for (int i = 0; i < 8; ++i) state[i] = Broadcast(kInitialState[i]);
}

HR_LANES_TARGET void DoubleNodesInLanes(uint8_t* out, const uint8_t* in, size_t count) {
  for (; count >= kLanes; count -= kLanes, in += 64 * kLanes, out += 32 * kLanes) {
    const uint8_t* blocks[kLanes];
    uint8_t* digests[kLanes];
    for (int lane = 0; lane < kLanes; ++lane) {
      blocks[lane] = in + 64 * lane;
      digests[lane] = out + 32 * lane;
    }
    Vector w[16];
    LoadBlocks(blocks, w);
    Vector first[8];
    InitialLanes(first);
    CompressLanes(first, w);
    CompressNodePaddingLanes(first);
    for (int i = 0; i < 8; ++i) w[i] = first[i];
    w[8] = Broadcast(0x80000000);
    for (int i = 9; i < 15; ++i) w[i] = Vector{};
    w[15] = Broadcast(32 * 8);
    Vector second[8];
    InitialLanes(second);
    CompressLanes(second, w);
    StoreDigests(second, digests);
  }
  SingleKernel().double_nodes(out, in, count);
}

// What a lane is doing: the rest of a message, then its padding, then the digest once more.
struct Lane {
  const uint8_t* at;         // the next whole block of the message
  size_t whole_blocks_left;
  uint8_t tail[128];         // what follows the whole blocks, padded
  int tail_blocks;
  int tail_at;
  bool is_second;            // hashing the digest
  size_t message;
};

HR_LANES_INLINE void StoreBigWord(uint8_t* at, uint32_t word) {
  word = __builtin_bswap32(word);
  __builtin_memcpy(at, &word, 4);
}

HR_LANES_TARGET void StartMessage(Lane& lane, size_t number, const uint8_t* data, size_t size) {
  lane.message = number;
  lane.is_second = false;
  lane.at = data;
  lane.whole_blocks_left = size / 64;
  const size_t rest = size % 64;
  lane.tail_blocks = rest + 9 > 64 ? 2 : 1;
  lane.tail_at = 0;
  __builtin_memset(lane.tail, 0, sizeof(lane.tail));
  if (rest != 0) __builtin_memcpy(lane.tail, data + size - rest, rest);
  lane.tail[rest] = 0x80;
  uint8_t* end = lane.tail + 64 * lane.tail_blocks;
  StoreBigWord(end - 8, static_cast<uint32_t>(static_cast<uint64_t>(size) * 8 >> 32));
  StoreBigWord(end - 4, static_cast<uint32_t>(static_cast<uint64_t>(size) * 8));
}

HR_LANES_TARGET void StartSecond(Lane& lane, const uint32_t* state) {
  lane.is_second = true;
  lane.whole_blocks_left = 0;
  lane.tail_blocks = 1;
  lane.tail_at = 0;
  __builtin_memset(lane.tail, 0, 64);
  for (int i = 0; i < 8; ++i) StoreBigWord(lane.tail + 4 * i, state[i]);
  lane.tail[32] = 0x80;
  StoreBigWord(lane.tail + 60, 32 * 8);
}

HR_LANES_INLINE const uint8_t* NextBlock(Lane& lane) {
  if (lane.whole_blocks_left != 0) {
    --lane.whole_blocks_left;
    const uint8_t* block = lane.at;
    lane.at += 64;
    return block;
  }
  return lane.tail + 64 * lane.tail_at++;
}

HR_LANES_INLINE bool IsThrough(const Lane& lane) { return lane.whole_blocks_left == 0 && lane.tail_at == lane.tail_blocks; }

// A lane takes the next message as soon as it is through with one. When too few are left to be worth it, they are finished
// one after another.
HR_LANES_TARGET void DoubleManyInLanes(uint8_t* out, const Message* messages, size_t count) {
  constexpr int kLanesWorthwhile = kLanes / 4;
  Lane lanes[kLanes];
  bool is_active[kLanes] = {};
  alignas(sizeof(Vector)) uint32_t state[8][kLanes];
  const auto restart = [&state](int lane) HR_LANES_TARGET {
    for (int i = 0; i < 8; ++i) state[i][lane] = kInitialState[i];
  };
  size_t next = 0;
  int active = 0;
  for (int lane = 0; lane < kLanes; ++lane) {
    restart(lane);
    if (next == count) continue;
    StartMessage(lanes[lane], next, messages[next].data, messages[next].size);
    ++next;
    is_active[lane] = true;
    ++active;
  }
  static const uint8_t kNothing[64] = {};
  while (active > kLanesWorthwhile) {
    const uint8_t* blocks[kLanes];
    for (int lane = 0; lane < kLanes; ++lane) blocks[lane] = is_active[lane] ? NextBlock(lanes[lane]) : kNothing;
    Vector w[16];
    LoadBlocks(blocks, w);
    Vector v[8];
    for (int i = 0; i < 8; ++i) __builtin_memcpy(&v[i], state[i], sizeof(Vector));
    CompressLanes(v, w);
    for (int i = 0; i < 8; ++i) __builtin_memcpy(state[i], &v[i], sizeof(Vector));
    for (int lane = 0; lane < kLanes; ++lane) {
      if (!is_active[lane] || !IsThrough(lanes[lane])) continue;
      uint32_t words[8];
      for (int i = 0; i < 8; ++i) words[i] = state[i][lane];
      restart(lane);
      if (!lanes[lane].is_second) {
        StartSecond(lanes[lane], words);
        continue;
      }
      for (int i = 0; i < 8; ++i) StoreBigWord(out + 32 * lanes[lane].message + 4 * i, words[i]);
      if (next < count) {
        StartMessage(lanes[lane], next, messages[next].data, messages[next].size);
        ++next;
      } else {
        is_active[lane] = false;
        --active;
      }
    }
  }
  for (int lane = 0; lane < kLanes; ++lane) {
    if (!is_active[lane]) continue;
    uint32_t words[8];
    for (int i = 0; i < 8; ++i) words[i] = state[i][lane];
    while (true) {
      while (!IsThrough(lanes[lane])) SingleKernel().compress(words, NextBlock(lanes[lane]), 1);
      if (lanes[lane].is_second) break;
      StartSecond(lanes[lane], words);
      for (int i = 0; i < 8; ++i) words[i] = kInitialState[i];
    }
    for (int i = 0; i < 8; ++i) StoreBigWord(out + 32 * lanes[lane].message + 4 * i, words[i]);
  }
  // Fewer messages than make a lane worthwhile never entered the loop above, and all of them are done here.
}
