// Every rule that a block, a header or a transaction in a block can break, with its sentence and the reject string that
// the field knows. Rules are data: checks name them, reports look the words up here.
//
// Any thread; constexpr.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace headrace {

enum class Rule : uint8_t {
  kNone,
  // Bytes.
  kMalformed,
  // Headers.
  kHeaderDuplicateInvalid,
  kParentUnknown,
  kParentInvalid,
  kProofOfWork,
  kDifficultyBits,
  kTimeTooOld,
  kTimeWarp,
  kTimeTooNew,
  kVersionTooOld,
  // Blocks, on their own.
  kSignetSolution,
  kMerkleRootMismatch,
  kMerkleDuplicate,
  kBlockLength,
  kCoinbaseMissing,
  kCoinbaseMissingAmbiguous,
  kCoinbaseMultiple,
  // Transactions, on their own.
  kInputsEmpty,
  kOutputsEmpty,
  kTransactionOversize,
  kOutputNegative,
  kOutputTooLarge,
  kOutputTotalTooLarge,
  kInputsDuplicate,
  kCoinbaseLength,
  kPrevoutNull,
  // Blocks, among headers.
  kSigopsTooMany,
  kNotFinal,
  kCoinbaseHeight,
  kWitnessNonceSize,
  kWitnessCommitmentMismatch,
  kWitnessUnexpected,
  kBlockWeight,
  // Blocks, against the unspent set.
  kDuplicateUnspentTransaction,
  kInputsMissingOrSpent,
  kCoinbasePremature,
  kInputValuesOutOfRange,
  kInBelowOut,
  kFeeOutOfRange,
  kAccumulatedFeeOutOfRange,
  kSequenceLocked,
  kCoinbaseAmount,
  kScript,
  kCount,
};

struct RuleInfo {
  Rule rule;
  // The field's name for the offence, as peers' logs and RPC answers word it.
  std::string_view reject_reason;
  // What MUST hold.
  std::string_view sentence;
  // Where the rule is written down; empty when it is as old as the network.
  std::string_view source;
  // The offence may come from altered bytes under the hash of a good block: the block is dropped, never remembered as
  // invalid, and the peer answers for it.
  bool is_mutation = false;
};

inline constexpr std::array<RuleInfo, static_cast<size_t>(Rule::kCount)> kRules = {{
    {Rule::kNone, "", "Nothing is wrong.", ""},
    {Rule::kMalformed, "malformed", "The bytes MUST decode to exactly one block.", "BIP144", true},

    {Rule::kHeaderDuplicateInvalid, "duplicate-invalid", "A header MUST NOT be one already known to be invalid.", ""},
    {Rule::kParentUnknown, "prev-blk-not-found", "A header MUST name a parent that is known.", ""},
    {Rule::kParentInvalid, "bad-prevblk", "A header MUST NOT descend from an invalid block.", ""},
    {Rule::kProofOfWork, "high-hash",
     "A header's hash MUST NOT exceed the target in its bits, which MUST NOT be easier than the network's limit.", ""},
    {Rule::kDifficultyBits, "bad-diffbits", "A header's bits MUST be those that follow from its ancestors.", "BIP94"},
    {Rule::kTimeTooOld, "time-too-old", "A header's time MUST be later than the median of the 11 before it.", ""},
    {Rule::kTimeWarp, "time-timewarp-attack",
     "The first header of a difficulty period MUST NOT be more than 600 seconds earlier than its parent.", "BIP94"},
    {Rule::kTimeTooNew, "time-too-new", "A header's time MUST NOT be more than two hours ahead of the clock.", ""},
    {Rule::kVersionTooOld, "bad-version", "A header's version MUST be at least that of the rules in force.",
     "BIP34, BIP65, BIP66"},

    {Rule::kSignetSolution, "bad-signet-blksig", "A signet block MUST carry a solution of the network's challenge.",
     "BIP325"},
    {Rule::kMerkleRootMismatch, "bad-txnmrklroot", "The header's Merkle root MUST be that of the transactions.", "",
     true},
    {Rule::kMerkleDuplicate, "bad-txns-duplicate",
     "Transactions MUST NOT repeat in a way that leaves the Merkle root as it was.", "CVE-2012-2459", true},
    {Rule::kBlockLength, "bad-blk-length",
     "A block MUST have a transaction, and MUST NOT exceed 1,000,000 bytes without witnesses.", "BIP141"},
    {Rule::kCoinbaseMissing, "bad-cb-missing", "The first transaction of a block MUST be a coinbase.", ""},
    // A 64-byte "transaction" may be two inner hashes of a good block's tree.
    {Rule::kCoinbaseMissingAmbiguous, "bad-cb-missing",
     "The first transaction of a block MUST be a coinbase; 64-byte transactions leave open whose block this is.", "",
     true},
    {Rule::kCoinbaseMultiple, "bad-cb-multiple", "Transactions after the first MUST NOT be coinbases.", ""},

    {Rule::kInputsEmpty, "bad-txns-vin-empty", "A transaction MUST have an input.", ""},
    {Rule::kOutputsEmpty, "bad-txns-vout-empty", "A transaction MUST have an output.", ""},
    {Rule::kTransactionOversize, "bad-txns-oversize",
     "A transaction MUST NOT exceed 1,000,000 bytes without witnesses.", "BIP141"},
    {Rule::kOutputNegative, "bad-txns-vout-negative", "An output's amount MUST NOT be negative.", "CVE-2010-5139"},
    {Rule::kOutputTooLarge, "bad-txns-vout-toolarge", "An output's amount MUST NOT exceed 21 million coins.",
     "CVE-2010-5139"},
    {Rule::kOutputTotalTooLarge, "bad-txns-txouttotal-toolarge",
     "The sum of a transaction's outputs MUST NOT exceed 21 million coins.", "CVE-2010-5139"},
    {Rule::kInputsDuplicate, "bad-txns-inputs-duplicate", "A transaction MUST NOT spend an output twice.",
     "CVE-2018-17144"},
    {Rule::kCoinbaseLength, "bad-cb-length", "A coinbase's script MUST be 2 to 100 bytes long.", ""},
    {Rule::kPrevoutNull, "bad-txns-prevout-null", "Inputs outside coinbases MUST name an output.", ""},

    {Rule::kSigopsTooMany, "bad-blk-sigops", "The cost of a block's signature operations MUST NOT exceed 80,000.",
     "BIP141"},
    {Rule::kNotFinal, "bad-txns-nonfinal", "Every transaction of a block MUST be final.", "BIP113"},
    {Rule::kCoinbaseHeight, "bad-cb-height", "A coinbase's script MUST begin with the block's height.", "BIP34"},
    {Rule::kWitnessNonceSize, "bad-witness-nonce-size",
     "A committing coinbase's witness MUST be a single item of 32 bytes.", "BIP141", true},
    {Rule::kWitnessCommitmentMismatch, "bad-witness-merkle-match",
     "The coinbase's commitment MUST match the block's witnesses.", "BIP141", true},
    {Rule::kWitnessUnexpected, "unexpected-witness", "A block without a commitment MUST NOT carry witnesses.", "BIP141",
     true},
    {Rule::kBlockWeight, "bad-blk-weight", "A block's weight MUST NOT exceed 4,000,000.", "BIP141"},

    {Rule::kDuplicateUnspentTransaction, "bad-txns-BIP30",
     "A transaction MUST NOT create an output that exists and is unspent.", "BIP30"},
    {Rule::kInputsMissingOrSpent, "bad-txns-inputs-missingorspent",
     "Every input MUST spend an output that exists and is unspent.", ""},
    {Rule::kCoinbasePremature, "bad-txns-premature-spend-of-coinbase",
     "A coinbase's output MUST NOT be spent before 100 blocks stand on it.", ""},
    {Rule::kInputValuesOutOfRange, "bad-txns-inputvalues-outofrange",
     "Amounts spent, and their sum, MUST NOT exceed 21 million coins.", ""},
    {Rule::kInBelowOut, "bad-txns-in-belowout", "A transaction MUST NOT create more than it spends.", ""},
    {Rule::kFeeOutOfRange, "bad-txns-fee-outofrange", "A fee MUST be between zero and 21 million coins.", ""},
    {Rule::kAccumulatedFeeOutOfRange, "bad-txns-accumulated-fee-outofrange",
     "The sum of a block's fees MUST NOT exceed 21 million coins.", ""},
    {Rule::kSequenceLocked, "bad-txns-nonfinal", "Relative lock times of a block's inputs MUST have passed.", "BIP68"},
    {Rule::kCoinbaseAmount, "bad-cb-amount", "A coinbase MUST NOT pay more than subsidy and fees.", "BIP42"},
    {Rule::kScript, "block-script-verify-flag-failed", "Every input MUST satisfy the script of what it spends.", ""},
}};

namespace internal {
constexpr bool RulesAreInOrder() {
  for (size_t i = 0; i < kRules.size(); ++i) {
    if (static_cast<size_t>(kRules[i].rule) != i) return false;
  }
  return true;
}
static_assert(RulesAreInOrder());
}  // namespace internal

constexpr const RuleInfo& InfoFor(Rule rule) { return kRules[static_cast<size_t>(rule)]; }

}  // namespace headrace
