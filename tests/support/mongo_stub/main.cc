// tidegate-mongo-stub [--sink]: prints the port that it listens on, and serves until it is killed
// or its input ends. With --sink it forgets what it takes, for benches.
#include <cstdio>
#include <string_view>

#include "tests/support/mongo_stub/mongo_stub.h"

int main(int argc, char** argv) {
  const bool sink = argc == 2 && std::string_view(argv[1]) == "--sink";
  if (argc > 1 && !sink) {
    std::fprintf(stderr, "usage: tidegate-mongo-stub [--sink]\n");
    return 2;
  }
  const auto stub = tidegate::mongo_stub::MongoStub::Start({.keep = !sink});
  if (!stub.ok()) {
    std::fprintf(stderr, "tidegate-mongo-stub: %s\n", stub.error().message.c_str());
    return 1;
  }
  std::printf("%u\n", static_cast<unsigned>((*stub)->port()));
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  std::printf("%zu documents\n", (*stub)->taken());
}
