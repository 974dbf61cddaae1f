// tidegate-mongo-stub [--sink] [--refused FILE]: prints the port that it listens on, and serves
// until it is killed or its input ends. With --sink it forgets what it takes, for benches. FILE
// lists the databases to which nobody may write.
#include <cstdio>
#include <string_view>

#include "tests/support/mongo_stub/mongo_stub.h"

int main(int argc, char** argv) {
  tidegate::mongo_stub::MongoStub::Options options;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--sink") {
      options.keep = false;
    } else if (std::string_view(argv[i]) == "--refused" && i + 1 < argc) {
      options.refused_file = argv[++i];
    } else {
      std::fprintf(stderr, "usage: tidegate-mongo-stub [--sink] [--refused FILE]\n");
      return 2;
    }
  }
  const auto stub = tidegate::mongo_stub::MongoStub::Start(options);
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
