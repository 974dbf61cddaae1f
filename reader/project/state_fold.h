// What an asset's documents mean in their sequence: failure episodes of machines, and alerts by the
// server's rules. Pure.
//
// Known limit: the state is kept for each asset and partition (collection tidegate_folds).
// Producers that key their messages by the asset, as gateways do, use one partition for it. An
// asset whose messages are spread over partitions is treated as one asset for each partition.
#pragma once

#include "reader/project/fold.h"

namespace tidegate::reader {

void FoldState(const Event& event, const FoldOptions& options, Effects& effects);

// The projection `failures` (failure_fold.cc). `episode` is the machine's state between documents.
// A document older than one that was folded earlier begins and ends no episode.
void FoldFailure(const Event& event, Object& episode, Effects& then);

// Alerts by rules (rule_fold.cc). `states` holds the state of each of the asset's rules by name.
void FoldRules(const Event& event, const FoldOptions& options, Object& states, Effects& then);

// True if the document came through a gateway, which has evaluated the rules of its devices itself.
bool ComesFromGateway(const Document& document);

}  // namespace tidegate::reader
