// The database that a setting names, opened for writing, and the stores on it. Any thread makes
// stores; each store then belongs to the thread that uses it.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "reader/database/completions.h"
#include "reader/database/document_store.h"
#include "reader/database/eraser.h"
#include "reader/database/projection_store.h"

namespace tidegate::reader {

struct LandingOptions {
  // How long MongoDB may take for an answer, unless the URI sets a limit.
  std::chrono::milliseconds answer_within{30'000};
  // The same for a server that one tenant has, which keeps the others waiting; nullopt: as above.
  std::optional<std::chrono::milliseconds> own_answer_within = std::nullopt;
  // By which writers leave out a server for which others waited; nullptr: they never do. It must
  // outlive the landing.
  const Clock* clock = nullptr;
};

class Landing {
 public:
  virtual ~Landing() = default;
  // Returns false if the landing is a file that no store has made yet.
  virtual bool Exists() const { return true; }
  // Returns true if several stores write faster than one, false for a file.
  virtual bool concurrent() const { return false; }
  // Make stores, each for one thread. The landing and the log must outlive them. kUnavailable: try
  // again. kInvalid: the landing cannot be used as it is.
  virtual Result<std::unique_ptr<DocumentStore>> NewStore(const Log& log) = 0;
  // Makes a store for landing: it writes to at most `threads` collections of a server at a time.
  // REQUIRES: `threads` is not 0.
  virtual Result<std::unique_ptr<DocumentStore>> NewWriter(const Log& log, size_t) {
    return NewStore(log);
  }
  virtual Result<std::unique_ptr<Completions>> NewCompletions() = 0;
  virtual Result<std::unique_ptr<ProjectionStore>> NewProjections() = 0;
};

// `uri` is `sqlite:PATH`, `mongodb://...` or `mongodb+srv://...`. Touches neither file nor network.
// kInvalid: the URI cannot be used; the message holds no password.
Result<std::unique_ptr<Landing>> OpenLanding(const std::string& uri,
                                             const LandingOptions& options = {});

// Errors as for OpenLanding; kUnavailable: try again. REQUIRES: the landing exists.
Result<std::unique_ptr<Eraser>> OpenEraser(const std::string& uri);

// Returns the database that a MongoDB URI's path names; empty if it names none.
std::string DatabaseOf(const std::string& uri);

// Returns what a URI asks for and the landing does not do, for people.
std::vector<std::string> LandingWarnings(const std::string& uri);

// Returns the URI without its password, for people.
std::string WithoutPassword(const std::string& uri);

}  // namespace tidegate::reader
