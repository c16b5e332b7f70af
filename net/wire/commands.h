// The names of the messages that this node knows.
#pragma once

#include "net/wire/message_header.h"

namespace headrace::commands {

inline constexpr Command kVersion("version");
inline constexpr Command kVerack("verack");
inline constexpr Command kPing("ping");
inline constexpr Command kPong("pong");
inline constexpr Command kGetHeaders("getheaders");
inline constexpr Command kGetBlocks("getblocks");
inline constexpr Command kHeaders("headers");
inline constexpr Command kInv("inv");
inline constexpr Command kGetData("getdata");
inline constexpr Command kNotFound("notfound");
inline constexpr Command kBlock("block");
inline constexpr Command kAddr("addr");
inline constexpr Command kAddrV2("addrv2");
inline constexpr Command kGetAddr("getaddr");
inline constexpr Command kSendHeaders("sendheaders");
inline constexpr Command kSendCompact("sendcmpct");
inline constexpr Command kCompactBlock("cmpctblock");
inline constexpr Command kGetBlockTransactions("getblocktxn");
inline constexpr Command kBlockTransactions("blocktxn");
inline constexpr Command kFeeFilter("feefilter");
inline constexpr Command kWtxidRelay("wtxidrelay");
inline constexpr Command kSendAddrV2("sendaddrv2");
inline constexpr Command kMempool("mempool");
inline constexpr Command kReject("reject");

}  // namespace headrace::commands
