-- SPDX-License-Identifier: MIT
-- The sink into Kafka over a library that answers as a spec says: the outcomes of transactions that no broker gives
-- when it is asked to. What a real one does is in spec/integration/relay_kafka_spec.lua.

local anew = require "spec.support.anew"
local block = require "chainlink.loop.block"
local chainlink = require "chainlink"
local failure = require "spec.support.failure"
local recording = require "spec.support.recording"

local T = 1700000000
local A, B = recording.id(3, 1), recording.id(3, 2)

local function named(list)
  local all = {}
  for i = 1, #list, 2 do all[list[i]] = list[i + 1] end
  return all
end

describe("the sink into Kafka", function()
  local wait, restore = block.wait, nil
  local library, sinks, sink, calls, outcomes, messages, logs, settings, produced

  -- What is next of a step, "done" where nothing is said.
  local function outcome_of(step)
    calls[#calls + 1] = step
    local next_one = outcomes[step] and table.remove(outcomes[step], 1)
    if not next_one then return "done" end
    return next_one, step .. " says " .. next_one
  end

  local defaults = {
    open = function(is_producer, list)
      local kind = is_producer and "producer" or "consumer"
      calls[#calls + 1], settings[kind] = "open " .. kind, named(list)
      if outcomes["open " .. kind] then return nil, "no " .. kind end
      return kind
    end,
    close = function(handle) calls[#calls + 1] = "close " .. handle end,
    fd = function(handle) return "fd of " .. handle end,
    assign = function(handle, topic, most, limit)
      calls[#calls + 1] = ("assign %s %s %d %d"):format(handle, topic, most, limit)
      local why = outcomes.assign and table.remove(outcomes.assign, 1)
      if why then return nil, why end
      return outcomes.partitions or 1
    end,
    take = function()
      local message = table.remove(messages, 1)
      if message == nil then error "nothing is left to take" end
      return message or nil
    end,
    begin = function(handle)
      assert.equal("producer", handle)
      return outcome_of "begin"
    end,
    produce = function(handle, topic, key, value, headers)
      assert.same({ "producer", "t" }, { handle, topic })
      produced[#produced + 1] = { key = key, value = value, headers = named(headers) }
      return outcome_of "produce"
    end,
  }
  for _, step in ipairs { "init", "commit", "abort" } do
    defaults[step] = function(handle, limit)
      assert.same({ "producer", 500 }, { handle, limit })
      return outcome_of(step)
    end
  end

  before_each(function()
    library = setmetatable({}, { __index = defaults })
    sinks, restore = anew.load("chainlink.relay.kafka", { ["chainlink.kafka"] = library })
    calls, outcomes, logs, settings, produced = {}, {}, {}, {}, {}
    messages = { { failure = "end", partition = 0 } }
    function block.wait(fd, seconds) calls[#calls + 1] = ("wait %s %s"):format(fd, seconds) end
    sink = sinks.new { access = { servers = "h:1", topic = "t" }, settings = { extra = "1", ["linger.ms"] = "7" },
      log = function(level, words) logs[#logs + 1] = level .. ": " .. words end }
  end)
  after_each(function()
    block.wait = wait
    restore()
  end)

  local function report(number, second, valid_from)
    return assert(chainlink.decode(recording.report(3, number, second, valid_from)))
  end

  local function message(from, partition)
    return { key = from.feed_id, value = from:bytes(), partition = partition or 0,
      headers = { observed_at = ("%.0f"):format(from.observations_timestamp_ms) } }
  end

  local function items(...)
    local list = {}
    for i, one in ipairs { ... } do list[i] = { report = one } end
    return list
  end

  local function begin(...)
    messages = { ... }
    messages[#messages + 1] = { failure = "end", partition = 0 }
    local times = sink:newest { A, B }
    calls = {}
    return times
  end

  local function counts(of)
    local all = { added = 0, known = 0, late = 0, old = 0, behind = 0 }
    for name, number in pairs(of) do all[name] = number end
    return all
  end

  it("takes over, reads back and tells so", function()
    outcomes.partitions = 2
    messages = { message(report(1, T)), message(report(2, T + 9)), message(report(1, T + 5)), message(report(1, T + 2)),
      message(report(3, T + 1)), { failure = "end", partition = 0 }, { failure = "end", partition = 0 }, false,
      { failure = "passing", reason = "hm" }, message(report(1, T + 7), 1), { failure = "end", partition = 1 } }
    assert.same({ [A] = (T + 7) * 1000, [B] = (T + 9) * 1000 }, sink:newest { A, B })
    assert.same({ "open producer", "init", "open consumer", "assign consumer t 20000 5000", "wait fd of consumer 0.5",
      "close consumer" }, calls)
    assert.same({ "warn: Kafka: hm", "info: connected to Kafka at h:1" }, logs)
    assert.same({ ["bootstrap.servers"] = "h:1", extra = "1", ["linger.ms"] = "7", ["enable.idempotence"] = "true",
      ["transactional.id"] = "chainlink-streams-t", partitioner = "murmur2_random" }, settings.producer)
    assert.same({ ["bootstrap.servers"] = "h:1", extra = "1", ["linger.ms"] = "7",
      ["group.id"] = "chainlink-streams-relay", ["enable.auto.commit"] = "false", ["enable.partition.eof"] = "true",
      ["isolation.level"] = "read_committed", ["allow.auto.create.topics"] = "true" }, settings.consumer)
  end)

  it("adds nothing at once that needs no waiting for", function()
    sinks.new({ access = { servers = "h:1", topic = "t" }, log = function() end }):newest {}
    assert.equal("0", settings.producer["linger.ms"])
  end)

  it("passes over messages of others", function()
    local strange, timeless = message(report(1, T)), message(report(1, T))
    strange.value, timeless.headers = "no report", {}
    assert.same({}, begin(strange, timeless))
  end)

  it("has no topic yet, and waits for it, which is told once", function()
    outcomes.assign = { "no such topic", "no such topic" }
    sink:newest {}
    assert.same({ "open producer", "init", "open consumer", "assign consumer t 20000 5000", "wait -1 0.5",
      "assign consumer t 20000 5000", "wait -1 0.5", "assign consumer t 20000 5000", "close consumer" }, calls)
    assert.same({ "warn: no such topic", "info: connected to Kafka at h:1" }, logs)
  end)

  it("raises what breaks its reading as it is", function()
    function library.fd() error("a text", 0) end
    messages = { false }
    local ok, err = pcall(sink.newest, sink, {})
    assert.is_false(ok)
    assert.equal("a text", err)
  end)

  it("gives up what is refused", function()
    messages = { { failure = "refusal", reason = "not you" } }
    failure.says(failure.raised("AuthenticationError", {}, sink.newest, sink, {}), "Kafka: not you")
    assert.equal("close consumer", calls[#calls])
  end)

  it("raises what is wrong with the settings", function()
    outcomes["open producer"] = true
    failure.says(failure.raised("ConfigError", {}, sink.newest, sink, {}), "no producer")
    outcomes = { ["open consumer"] = true }
    failure.says(failure.raised("ConfigError", {}, sink.newest, sink, {}), "no consumer")
  end)

  it("tries again to take over, with a new producer where the old one is of no use", function()
    outcomes.init = { "again", "again", "fatal", "done" }
    sink:newest {}
    assert.same({ "open producer", "init", "init", "init", "close producer", "wait -1 0.5", "open producer", "init",
      "open consumer", "assign consumer t 20000 5000", "close consumer" }, calls)
    assert.same({ "warn: init says again", "warn: init says fatal", "info: connected to Kafka at h:1" }, logs)
  end)

  it("ends where another relay has taken over", function()
    for _, words in ipairs { "Fenced by another", "producer fenced" } do
      library.init = function() return "fatal", words end
      local err = failure.raised("APIError", {}, sink.newest, sink, {})
      assert.equal("another relay of this topic has taken over: " .. words, err.message)
      assert.equal("close producer", calls[#calls])
    end
    library.init = nil
    calls = {}
    sink:newest {}
    assert.equal("open producer", calls[1]) -- it has none to close
  end)

  it("closes the producer that it has, once it begins anew and at its end", function()
    begin()
    messages = { { failure = "end", partition = 0 } }
    sink:newest {}
    assert.same({ "close producer", "open producer" }, { calls[1], calls[2] })
    calls = {}
    sink:close()
    assert.same({ "close producer" }, calls)
    sinks.new({ log = function() end }):close()
    assert.same({ "close producer" }, calls)
  end)

  it("adds what is newer than what is there, in one transaction", function()
    begin(message(report(1, T)))
    local one, two, other = report(1, T + 1), report(1, T + 2), report(2, T + 3)
    assert.same(counts { added = 3, known = 2 },
      sink:add { [A] = items(report(1, T), report(1, T - 1), one, two), [B] = items(other) })
    assert.same({ "begin", "produce", "produce", "produce", "commit" }, calls)
    local of_a = {}
    for _, message_out in ipairs(produced) do
      if message_out.key == A then of_a[#of_a + 1] = message_out
      else
        assert.same({ B, other:bytes() }, { message_out.key, message_out.value })
        assert.equal("0", message_out.headers.after)
      end
    end
    assert.same({ { key = A, value = one:bytes(), headers = { observed_at = ("%d000"):format(T + 1), received_at = "0",
      backfilled = "0", origin = "", after = ("%d000"):format(T), lost = "" } },
      { key = A, value = two:bytes(), headers = { observed_at = ("%d000"):format(T + 2), received_at = "0",
        backfilled = "0", origin = "", after = ("%d001"):format(T + 1):gsub("1$", "0"), lost = "" } } }, of_a)
    calls = {}
    assert.same(counts { known = 4 }, sink:add { [A] = items(report(1, T), one, two), [B] = items(other) })
    assert.same({}, calls)
  end)

  it("tells how and when a report came, and what was lost before it", function()
    begin()
    local one = { observations_timestamp_ms = 0, report_blob = "x", received_at = 7.5, backfilled = true, origin = "o",
      bytes = function() return "bytes" end }
    sink:add { [A] = { { report = one, lost = "1 2" } } }
    assert.same({ key = A, value = "bytes", headers = { observed_at = "0", received_at = "7500", backfilled = "1",
      origin = "o", after = "0", lost = "1 2" } }, produced[1])
  end)

  it("knows reports of the same time by what was signed", function()
    local old, same, other = report(1, T), report(1, T), report(1, T, T - 5)
    begin(message(old))
    assert.same(counts { added = 1, known = 1 }, sink:add { [A] = items(same, other) })
    assert.same(counts { known = 1 }, sink:add { [A] = items(other) })
    begin(message(old), message(other), message(old))
    assert.same(counts { known = 2 }, sink:add { [A] = items(same, other) })
    assert.same(counts { added = 1 }, sink:add { [A] = items(report(1, T + 1)) })
    assert.same(counts { known = 1 }, sink:add { [A] = items(report(1, T, T - 6)) })
  end)

  it("waits for a step as long as it takes", function()
    begin()
    outcomes = { begin = { "again", "done" }, commit = { "again", "again", "done" } }
    assert.same(counts { added = 1 }, sink:add { [A] = items(report(1, T)) })
    assert.same({ "begin", "begin", "produce", "commit", "commit", "commit" }, calls)
    assert.equal("done", (select(2, next { "done" })))
  end)

  for step, tried in pairs { begin = { "begin" }, produce = { "begin", "produce" },
    commit = { "begin", "produce", "produce", "commit" } } do
    it("does a transaction again that was aborted at " .. step, function()
      begin()
      outcomes[step] = { "abort" }
      assert.same(counts { added = 2 }, sink:add { [A] = items(report(1, T), report(1, T + 1)) })
      local all = { (table.unpack or unpack)(tried) } -- luacheck: ignore 113 143
      for _, word in ipairs { "abort", "begin", "produce", "produce", "commit" } do all[#all + 1] = word end
      assert.same(all, calls)
      assert.equal("warn: " .. step .. " says abort", logs[#logs])
    end)

    it("begins anew where it failed for good at " .. step, function()
      begin()
      outcomes[step] = { "fatal" }
      assert.same({ behind = 1 }, sink:add { [A] = items(report(1, T), report(1, T + 1)) })
      tried[#tried + 1] = "close producer"
      assert.same(tried, calls)
      assert.equal("warn: " .. step .. " says fatal", logs[#logs])
    end)
  end

  it("begins anew where it cannot abort", function()
    begin()
    outcomes = { commit = { "abort" }, abort = { "again", "fatal" } }
    assert.same({ behind = 1 }, sink:add { [A] = items(report(1, T)) })
    assert.same({ "begin", "produce", "commit", "abort", "abort", "close producer" }, calls)
  end)
end)
