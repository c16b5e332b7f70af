// One rule's violation as something that is done to a draft, so that two of them can be done to one block: what the
// order of the rules is tested with. Pure; a test's own thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/rules/branch.h"

namespace headrace::testing {

// What offences find on the branch. The next block spends coins of the tip: they are one block old.
struct Scene {
  explicit Scene(const ChainParams& params, uint32_t base_height);

  // A coinbase and two payments of two inputs each, without fees; the block of a good chain.
  Draft Base() const;

  Branch branch;
  std::vector<HeldCoin> plain;     // anyone may spend these
  std::vector<HeldCoin> truthful;  // ask for something true: one for each input
  HeldCoin open;                   // a witness program that any witness satisfies
  HeldCoin sigops;                 // pays to the hash of a script with a hundred signature operations that are not run
};

struct Offence {
  std::string reject;
  // Where the verdict points.
  uint32_t transaction = 0;
  uint32_t input = 0;
  std::function<void(Draft&, const Scene&)> commit;
  // Done after the commitment has joined the coinbase.
  bool is_late = false;
};

// Headers.
Offence HighHash();
Offence WrongBits();
Offence TimeTooOld();
Offence TimeTooNew();
// BIP94; on a period's first block.
Offence TimeWarp();
Offence OldVersion();

// Whole blocks.
Offence Unsolved();
Offence WrongRoot();
Offence LastRepeated();
Offence TooLong();
Offence CoinbaseLast();
Offence CoinbaseAgain();
Offence LegacySigops();
Offence CoinbaseTooLong();
Offence WrongHeight();
Offence ReservedValueShort();
Offence CommitmentAltered();
Offence CommitmentLeftOut();
// Needs a witness to grow: the second payment's.
Offence TooHeavy();
Offence CoinbaseRepeated();
Offence CoinbaseGreedy();

// Payments: transaction 1 or 2.
Offence NoInputs(uint32_t payment);
Offence NoOutputs(uint32_t payment);
// Outputs of these amounts in front of what is there.
Offence Pays(uint32_t payment, std::vector<Amount> amounts, std::string reject);
Offence InputRepeated(uint32_t payment);
Offence InputNull(uint32_t payment);
Offence NotFinal(uint32_t payment);
Offence InputMissing(uint32_t payment, uint32_t input);
Offence InputPremature(uint32_t payment, uint32_t input);
Offence CreatesTooMuch(uint32_t payment);
Offence SequenceLocked(uint32_t payment);
Offence RedeemSigops(uint32_t payment);
Offence ScriptFalse(uint32_t payment, uint32_t input);

}  // namespace headrace::testing
