// What a block file holds, read plainly by the test and not by the node: the claim that nothing is downloaded again,
// and that nothing that was stored goes away, rests on this.
//
// One thread; reads the file once.
#pragma once

#include <map>
#include <string>

#include "engine/base/bytes.h"
#include "engine/primitives/hash256.h"

namespace headrace::testing {

// The frames of a file in the common layout up to its first gap: hash of the header to the block's bytes. A frame may
// be torn: its header was written and its body was not.
std::map<Hash256, Bytes> BlocksIn(const Bytes& file);

}  // namespace headrace::testing
