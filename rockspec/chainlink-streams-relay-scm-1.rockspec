-- SPDX-License-Identifier: MIT
-- Written by scripts/rockspec (make rockspec) from the sources' list: do not edit by hand.
rockspec_format = "3.0"
package = "chainlink-streams-relay"
version = "scm-1"
source = {
  url = "git+https://github.com/chainlink-streams/chainlink-streams.git",
}
description = {
  summary = "Chainlink Data Streams through Redis or Kafka: one account's reports for all your machines",
  detailed = [[
The relay of chainlink-streams: reports go into Redis Streams or a topic of Kafka, each once and in order, and come back
as a stream to any number of Lua programs.]],
  homepage = "https://github.com/chainlink-streams/chainlink-streams",
  license = "MIT",
  labels = { "chainlink", "oracle", "redis", "market-data" },
}
supported_platforms = { "linux" }
dependencies = { "lua >= 5.1, < 5.6, ~= 5.2", "chainlink-streams" }
external_dependencies = {
  HIREDIS = { library = "hiredis" },
  OPENSSL = { library = "ssl" },
  CRYPTO = { library = "crypto" },
  RDKAFKA = { library = "rdkafka" },
}
build = {
  type = "builtin",
  modules = {
    ["chainlink.relay.address"] = "lua/chainlink/relay/address.lua",
    ["chainlink.relay.brokers"] = "lua/chainlink/relay/brokers.lua",
    ["chainlink.relay"] = "lua/chainlink/relay/init.lua",
    ["chainlink.relay.kafka"] = "lua/chainlink/relay/kafka.lua",
    ["chainlink.relay.keys"] = "lua/chainlink/relay/keys.lua",
    ["chainlink.relay.library"] = "lua/chainlink/relay/library.lua",
    ["chainlink.relay.redirect"] = "lua/chainlink/relay/redirect.lua",
    ["chainlink.relay.sink"] = "lua/chainlink/relay/sink.lua",
    ["chainlink.relay.wire"] = "lua/chainlink/relay/wire.lua",
    ["chainlink.source.kafka"] = "lua/chainlink/source/kafka.lua",
    ["chainlink.source.lane"] = "lua/chainlink/source/lane.lua",
    ["chainlink.source.reader"] = "lua/chainlink/source/reader.lua",
    ["chainlink.source.recorded"] = "lua/chainlink/source/recorded.lua",
    ["chainlink.source.redis"] = "lua/chainlink/source/redis.lua",
    ["chainlink.redis"] = {
      sources = {
        "src/base/alloc.c",
        "src/base/buf.c",
        "src/base/clock.c",
        "src/base/error.c",
        "src/base/gzip.c",
        "src/base/histogram.c",
        "src/base/input.c",
        "src/base/library.c",
        "src/base/lines.c",
        "src/base/packing.c",
        "src/base/private_file.c",
        "src/base/sqlite.c",
        "src/base/terminal.c",
        "src/base/trace.c",
        "src/base/utf8.c",
        "src/base/zstd.c",
        "src/lua/lredis.c",
        "src/net/tls.c",
        "src/net/ws_tls.c",
        "src/relay/poller.c",
        "src/relay/redis.c",
        "src/relay/secure.c",
      },
      incdirs = { "src", "$(HIREDIS_INCDIR)", "$(OPENSSL_INCDIR)" },
      libdirs = { "$(HIREDIS_LIBDIR)", "$(OPENSSL_LIBDIR)" },
      libraries = { "hiredis", "ssl", "crypto", "pthread", "m" },
    },
    ["chainlink.kafka"] = {
      sources = {
        "src/base/alloc.c",
        "src/base/buf.c",
        "src/base/clock.c",
        "src/base/error.c",
        "src/base/gzip.c",
        "src/base/histogram.c",
        "src/base/input.c",
        "src/base/library.c",
        "src/base/lines.c",
        "src/base/packing.c",
        "src/base/private_file.c",
        "src/base/sqlite.c",
        "src/base/terminal.c",
        "src/base/trace.c",
        "src/base/utf8.c",
        "src/base/zstd.c",
        "src/lua/lkafka.c",
        "src/relay/kafka.c",
        "src/relay/poller.c",
      },
      incdirs = { "src", "$(RDKAFKA_INCDIR)" },
      libdirs = { "$(RDKAFKA_LIBDIR)" },
      libraries = { "rdkafka", "pthread", "m" },
    },
  },
}
