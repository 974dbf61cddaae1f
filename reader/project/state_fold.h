// What an asset's documents mean one after the other: failure episodes of machines, and alerts by
// the server's rules. Pure.
//
// The state is kept for an asset and partition (collection tidegate_folds): producers that key
// their messages by the asset, as ours do, have one partition for it. The messages of an asset that
// are spread over partitions are seen as those of several.
#pragma once

#include "reader/project/fold.h"

namespace tidegate::reader {

void FoldState(const Event& event, const FoldOptions& options, Effects& effects);

// failures (failure_fold.cc). `episode`: the machine's, between documents. A document older than
// one that was folded before begins and ends nothing.
void FoldFailure(const Event& event, Object& episode, Effects& then);

// Alerts by rules (rule_fold.cc). `states`: of the asset's rules by name.
void FoldRules(const Event& event, const FoldOptions& options, Object& states, Effects& then);

// Devices behind a gateway of ours have their rules there.
bool ComesFromGateway(const Document& document);

}  // namespace tidegate::reader
