// The landing that a setting names, and the stores on it. One thread; each store then belongs to
// the thread that uses it.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "core/log.h"
#include "reader/database/completions.h"
#include "reader/database/document_store.h"
#include "reader/database/projection_store.h"

namespace tidegate::reader {

struct LandingOptions {
  // How long MongoDB may take for an answer, unless the URI says so.
  std::chrono::milliseconds answer_within{30'000};
};

class Landing {
 public:
  virtual ~Landing() = default;
  // Whether there may be documents; false: a file that no store has made yet.
  virtual bool Exists() const { return true; }
  // A store for one worker. The landing must outlive it.
  virtual Result<std::unique_ptr<DocumentStore>> NewStore(const Log& log) = 0;
  // For the enrichment, likewise.
  virtual Result<std::unique_ptr<Completions>> NewCompletions() = 0;
  // Projections and positions, for one worker or projector likewise.
  virtual Result<std::unique_ptr<ProjectionStore>> NewProjections() = 0;
};

// `sqlite:PATH`, `mongodb://...` or `mongodb+srv://...`. Touches neither file nor network.
// kInvalid: what is wrong; no message holds a password.
Result<std::unique_ptr<Landing>> OpenLanding(const std::string& uri,
                                             const LandingOptions& options = {});

// The database that a MongoDB URI's path names; empty if there is none.
std::string DatabaseOf(const std::string& uri);

// The URI without its password, for people.
std::string WithoutPassword(const std::string& uri);

}  // namespace tidegate::reader
