#!/usr/bin/env python3
"""Tests that the checks find planted violations, and find nothing in a correct tree."""

import os
import tempfile
import unittest

import include_direction
import tests_are_built
import text_rules
import wall_clock

GOOD = {
    "core/result.h": "",
    "core/json/json.h": '#include "core/result.h"\n#include <string>\n',
    "core/json/cjson_handle.h": "#include <cjson/cJSON.h>\n",
    "core/json/document.cc": '#include "core/json/cjson_handle.h"\n',
    "drivers/driver.h": '#include "core/result.h"\n',
    "drivers/registry.cc": '#include "drivers/mqtt/mqtt_driver.h"\n',
    "drivers/mqtt/mqtt_driver.h": '#include "drivers/driver.h"\n',
    "drivers/mqtt/mqtt_driver.cc": '#include "drivers/mqtt/mqtt_driver.h"\n#include <mosquitto.h>\n',
    "drivers/serial/port.cc": "#include <termios.h>\n",
    "store/store.h": '#include "core/result.h"\n',
    "store/sqlite_store.h": '#include "store/store.h"\n',
    "core/wire/wire_message.h": '#include "core/result.h"\n',
    "core/kafka/kafka_handle.h": "#include <librdkafka/rdkafka.h>\n",
    "uplink/forwarder.h": '#include "store/store.h"\n#include "core/wire/wire_message.h"\n',
    "uplink/kafka_transport.cc": '#include "core/kafka/kafka_handle.h"\n',
    "reader/database/document.h": "",
    "reader/consume/source.h": '#include "core/result.h"\n',
    "reader/land/worker.h": '#include "reader/consume/source.h"\n',
    "store/file/vfs_handle.h": "#include <sqlite3.h>\n",
    "core/sqlite/database.h": "struct sqlite3;\n",
    "reader/database/sqlite/sqlite_store.cc": '#include "core/sqlite/database.h"\n',
    "store/sqlite_store.cc": '#include "store/file/vfs_handle.h"\n',
    "reader/main.cc": '#include "core/kafka/kafka_handle.h"\n#include "reader/database/mongo/mongo_store.h"\n',
    "reader/database/mongo/mongo_store.h": "struct Mongo;\n",
    "agent/pipeline/pipeline.h": '#include "drivers/driver.h"\n#include "store/store.h"\n',
    "agent/agent.cc": '#include "store/sqlite_store.h"\n#include "agent/pipeline/pipeline.h"\n',
    "tests/core/json_test.cc": '#include "store/sqlite_store.h"\n',
    "tests/core/CMakeLists.txt": "tidegate_test(json SOURCES json_test.cc LINK x)\n",
    "tests/store.cmake": "set(dir ${CMAKE_CURRENT_LIST_DIR}/store)\ntidegate_test(a SOURCES ${dir}/a_test.cc\n"
                         "  ${CMAKE_CURRENT_SOURCE_DIR}/store/b_test.cc)\n",
    "tests/store/a_test.cc": "",
    "tests/store/b_test.cc": "",
}

# (file, line to add, part of the message)
BAD = [
    ("core/result.h", '#include "store/store.h"', "may not include"),
    ("drivers/mqtt/mqtt_driver.cc", '#include "drivers/serial/port.h"', "no such file"),
    ("drivers/serial/port.cc", '#include "drivers/mqtt/mqtt_driver.h"', "may not include"),
    ("drivers/driver.h", '#include "drivers/mqtt/mqtt_driver.h"', "may not include"),
    ("drivers/mqtt/mqtt_driver.cc", '#include "store/store.h"', "may not include"),
    ("store/store.h", '#include "uplink/forwarder.h"', "may not include"),
    ("store/format/checksum.h", '#include "store/file/vfs_handle.h"', "may not include"),
    ("store/store.h", "#include <sqlite3.h>", "C library"),
    ("drivers/mqtt/mqtt_driver.h", "#include <mosquitto.h>", "C library"),
    ("core/json/json.h", "#  include <cjson/cJSON.h>", "C library"),
    ("core/wire/wire_message.h", '#include "uplink/forwarder.h"', "may not include"),
    ("uplink/forwarder.h", '#include "store/sqlite_store.h"', "may not include"),
    ("uplink/forwarder.h", '#include "drivers/driver.h"', "may not include"),
    ("reader/main.cc", '#include "uplink/forwarder.h"', "may not include"),
    ("reader/main.cc", '#include "store/store.h"', "may not include"),
    ("reader/service.cc", '#include "reader/database/mongo/mongo_store.h"', "concrete"),
    ("reader/service.cc", '#include "uplink/forwarder.h"', "may not include"),
    ("reader/service.cc", '#include "core/sqlite/database.h"', "concrete"),
    ("reader/consume/source.h", '#include "reader/land/worker.h"', "may not include"),
    ("agent/pipeline/pipeline.h", '#include "store/sqlite_store.h"', "may not include"),
    ("agent/pipeline/pipeline.h", '#include "uplink/forwarder.h"', "may not include"),
    ("agent/main.cc", '#include "reader/database/mongo/mongo_store.h"', "may not include"),
    ("agent/main.cc", '#include "store/sqlite_store.h"', "concrete"),
    ("agent/main.cc", '#include "drivers/mqtt/mqtt_driver.h"', "concrete"),
    ("core/log.cc", '#include "core/json/cjson_handle.h"', "private to its folder"),
    ("core/log.cc", '#include "tests/core/json_test.cc"', "may not include"),
    ("core/log.cc", '#include "result.h"', "no such file"),
    ("vendor/x.h", '#include "core/result.h"', "no module"),
]


class Tree:
    def __init__(self, files):
        self.folder = tempfile.TemporaryDirectory()
        for name, text in files.items():
            self.add(name, text)

    def add(self, name, text):
        path = os.path.join(self.folder.name, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "a", encoding="utf-8") as file:
            file.write(text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()


class LintTest(unittest.TestCase):
    def test_a_tree_that_is_right_passes(self):
        with Tree(GOOD) as tree:
            self.assertEqual(include_direction.check(tree.folder.name), [])
            self.assertEqual(tests_are_built.check(tree.folder.name), [])

    def test_each_planted_include_is_found(self):
        for name, line, message in BAD:
            with self.subTest(name=name, line=line), Tree(GOOD) as tree:
                tree.add(name, line + "\n")
                problems = include_direction.check(tree.folder.name)
                self.assertEqual(len(problems), 1, problems)
                self.assertIn(name, problems[0])
                self.assertIn(message, problems[0])

    def test_a_crowded_folder_is_found(self):
        files = {f"core/a{i}.h": "" for i in range(include_direction.MOST_FILES)}
        with Tree(files) as tree:
            self.assertEqual(include_direction.check(tree.folder.name), [])
            tree.add("core/one_more.cc", "")
            self.assertEqual(len(include_direction.check(tree.folder.name)), 1)

    def test_a_test_that_is_not_built_is_found(self):
        for name in ("tests/core/other_test.cc", "tests/core/sub/json_test.cc", "tests/fuzz/json_fuzz.cc"):
            with self.subTest(name=name), Tree(GOOD) as tree:
                tree.add(name, "")
                self.assertEqual(len(tests_are_built.check(tree.folder.name)), 1)
        with Tree(GOOD) as tree:
            tree.add("tests/core/off_test.cc", "")
            tree.add("tests/core/CMakeLists.txt", "# off_test.cc\n")
            self.assertEqual(len(tests_are_built.check(tree.folder.name)), 1)

    def test_text_rules_find_what_is_planted(self):
        for text in ("int x;\t// tab\n#pragma once\n", "#pragma once \n", "int x;\n", "#pragma once",
                     "#pragma once\n// " + "TO" + "DO\n"):
            with self.subTest(text=text), Tree({"core/x.h": text}) as tree:
                self.assertEqual(len(text_rules.check(tree.folder.name)[0]), 1)
        with Tree({"core/x.h": "#pragma once\n" * 151}) as tree:
            problems, warnings = text_rules.check(tree.folder.name)
            self.assertEqual((problems, len(warnings)), ([], 1))

    def test_a_wall_clock_in_an_interval_is_found(self):
        for line in ("if (clock_.Now() > deadline) return;", "auto x = std::chrono::system_clock::now();", "return time(nullptr);",
                     "clock_gettime(CLOCK_REALTIME, &t);", "pthread_cond_timedwait(c, m, &until);"):
            with self.subTest(line=line), Tree({"uplink/backoff.cc": line + "\n"}) as tree:
                self.assertEqual(len(wall_clock.check(tree.folder.name)), 1)
        for name, line in (("core/clock.cc", "Read(CLOCK_REALTIME)"), ("uplink/lane.cc", "// never Now()"),
                           ("uplink/lane.cc", "link_state.time(0);"), ("tests/core/a_test.cc", "clock.Now()")):
            with self.subTest(name=name, line=line), Tree({name: line + "\n"}) as tree:
                self.assertEqual(wall_clock.check(tree.folder.name), [])
        with Tree({"core/log.cc": "int x;\n"}) as tree:
            self.assertEqual(len(wall_clock.check(tree.folder.name)), 1, "an exception that is not needed any more")


if __name__ == "__main__":
    unittest.main()
