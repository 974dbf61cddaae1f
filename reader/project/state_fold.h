// What an asset's documents mean in their sequence: failure episodes of machines, and alerts by the
// server's rules. Pure.
//
// The state is kept for each asset (collection tidegate_folds), whatever partitions its documents
// come by. It takes them in the order of (bounded time, partition, offset): a document that comes
// after a later one changes no state. So the state is right after every document that is newer than
// all before it, and partitions may be added.
//
// A fold only decides, and records what it has decided; the effects follow when the state is saved.
// So two processes that fold documents of one asset at the same time agree about its state before
// either of them begins or ends an episode or an alert.
//
// Known limit: if an asset's documents come over several partitions at the same time, and one
// partition is read later than another, what it holds from before is late. A rebuild takes all of
// them in order.
#pragma once

#include "reader/project/fold.h"

namespace tidegate::reader {

// True if a state depends on the document.
bool HasState(const Document& document, const FoldOptions& options);
void FoldState(const Event& event, const FoldOptions& options, Effects& effects);

// Returns true, and remembers the document as the newest, if it comes after all that `state` has
// taken.
bool TakeInOrder(const Event& event, Object& state);

// The projection `failures` (failure_fold.cc). `episode` is the machine's state between documents.
void DecideFailure(const Event& event, Object& episode, Object& decision);
void FollowFailure(const Event& event, const Object& decision, Effects& then);

// Alerts by rules (rule_fold.cc). `states` holds the state of each of the asset's rules by name.
void DecideRules(const Event& event, const FoldOptions& options, Object& states, Object& decision);
void FollowRules(const Event& event, const FoldOptions& options, const Object& decision,
                 Effects& then);

// True if the document came through a gateway, which has evaluated the rules of its devices itself.
bool ComesFromGateway(const Document& document);

}  // namespace tidegate::reader
