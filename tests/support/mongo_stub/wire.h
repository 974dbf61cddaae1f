// The part of MongoDB's wire protocol that a driver needs: OP_MSG, and the OP_QUERY with which
// drivers begin. Every length is checked against the bytes received. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace tidegate::mongo_stub {

using Bytes = std::span<const uint8_t>;

inline constexpr size_t kHeaderBytes = 16;
// The largest message that a server accepts.
inline constexpr int32_t kMaxMessageBytes = 48'000'000;

// One command. All members are views of the message that it was read from.
struct Request {
  int32_t id = 0;
  // An OP_QUERY, which is answered by OP_REPLY.
  bool legacy = false;
  // moreToCome: the client expects no reply.
  bool no_reply = false;
  std::string_view command;
  // The command's value; empty if it is no text.
  std::string_view collection;
  std::string_view database;
  Bytes body;
  // Documents or updates, from the body's array or from the document sequence.
  std::vector<Bytes> documents;
};

// Returns the whole message's length, which its first four bytes hold. kInvalid: no server accepts
// it.
Result<size_t> MessageBytes(Bytes header);
// `message` includes the header. kInvalid: a request that the stub does not understand.
Result<Request> ParseRequest(Bytes message);
// `reply` is a document.
std::string MakeReply(const Request& request, std::string_view reply);

}  // namespace tidegate::mongo_stub
