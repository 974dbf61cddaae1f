// MongoDB's wire protocol as far as a driver needs it: OP_MSG, and the OP_QUERY that drivers open
// with. Every length is checked against the bytes that are there. Pure.
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
// What a server takes in one message.
inline constexpr int32_t kMaxMessageBytes = 48'000'000;

// One command. Everything points into the message that it was read from.
struct Request {
  int32_t id = 0;
  bool legacy = false;    // OP_QUERY: answered by OP_REPLY.
  bool no_reply = false;  // moreToCome: the client does not listen.
  std::string_view command;
  std::string_view collection;  // The command's value; empty if that is no text.
  std::string_view database;
  Bytes body;
  std::vector<Bytes> documents;  // Of the body's array or of the document sequence.
};

// The whole message's length from its first four bytes. kInvalid: none that a server takes.
Result<size_t> MessageBytes(Bytes header);
// `message`: header and all. kInvalid: not a request that is understood.
Result<Request> ParseRequest(Bytes message);
// `reply`: a document.
std::string MakeReply(const Request& request, std::string_view reply);

}  // namespace tidegate::mongo_stub
