-- SPDX-License-Identifier: MIT
-- Kafka below the relay's Lua, against librdkafka's own broker: what goes in and comes out, and what is refused.

local core = require "chainlink.core"
local kafka_mock = require "spec.support.kafka_mock"
local refusal = require "spec.support.refusal"

local has_module, kafka = pcall(require, "chainlink.kafka")
-- ThreadSanitizer ends the process in the threads of librdkafka's own broker.
local has_tsan = package.cpath:find("/build/tsan/", 1, true)
if not has_module or has_tsan then
  describe("the binding of Kafka", function()
    it("is there", function() pending(has_tsan and "not under ThreadSanitizer" or "built without librdkafka") end)
  end)
  return
end

local raises, refused = refusal.raises, refusal.refused
local LIMIT_MS = 30000

describe("the binding of Kafka:", function()
  local producer, address
  setup(function()
    producer, address = kafka_mock.start(function(settings)
      for _, word in ipairs { "transactional.id", "it" } do settings[#settings + 1] = word end
      return kafka.open(true, settings)
    end)
    assert.same({ "done" }, { kafka.init(producer, LIMIT_MS) })
    assert.same({ "done" }, { kafka.begin(producer) })
    for i = 1, 6 do
      assert.same({ "done" }, { kafka.produce(producer, "topic", "same key", "value " .. i, {}) })
    end
    assert.same({ "done" }, { kafka.commit(producer, LIMIT_MS) })
  end)
  teardown(function() kafka.close(producer) end)

  local function consumer(group)
    return assert(kafka.open(false, { "bootstrap.servers", address, "group.id", group or "one", "enable.auto.commit",
      "false", "enable.auto.offset.store", "false", "enable.partition.eof", "true", "fetch.wait.max.ms", "10" }))
  end

  -- The next thing that a consumer has.
  local function take(from)
    local till = core.monotonic() + LIMIT_MS / 1000
    repeat
      local found = kafka.take(from)
      if found then return found end
      core.wait(kafka.fd(from), 0.2)
    until core.monotonic() > till
    error "nothing comes"
  end

  -- The messages of a topic until each of its partitions has ended.
  local function read_all(from, partitions)
    local values, ended = {}, 0
    repeat
      local found = take(from)
      if found.failure then
        assert.equal("end", found.failure)
        assert.is_string(found.reason)
        assert.is_number(found.partition)
        assert.is_nil(found.value)
        ended = ended + 1
      else
        values[#values + 1] = found
      end
    until ended == partitions
    return values
  end

  it("a message has its key, value and headers, whatever their bytes", function()
    assert.same({ "done" }, { kafka.begin(producer) })
    local headers = {}
    for i = 1, 16 do headers[2 * i - 1], headers[2 * i] = "name" .. i, "value" .. i end
    assert.same({ "done" }, { kafka.produce(producer, "bytes", "k\0y", "v\0l\255", headers) })
    assert.same({ "done" }, { kafka.produce(producer, "bytes", "k\0y", "", { "empty", "" }) })
    assert.same({ "done" }, { kafka.produce(producer, "bytes", "k\0y", "x", { "alone" }) })
    assert.same({ "done" }, { kafka.commit(producer, LIMIT_MS) })
    local from = consumer()
    local partitions = kafka.assign(from, "bytes", math.huge, LIMIT_MS)
    local all = read_all(from, partitions)
    assert.equal(3, #all)
    local first = all[1]
    local expected = {}
    for i = 1, 16 do expected["name" .. i] = "value" .. i end
    local at = first.partition
    assert.same({ partition = at, offset = 0, key = "k\0y", value = "v\0l\255", headers = expected }, first)
    assert.same({ partition = at, offset = 1, key = "k\0y", value = "", headers = { empty = "" } }, all[2])
    assert.same({ partition = at, offset = 2, key = "k\0y", value = "x", headers = {} }, all[3])
    kafka.close(from)
  end)

  it("a topic is read from its beginning, its end, or its last messages", function()
    for _, row in ipairs { { math.huge, 6 }, { 0, 0 }, { 1, 1 }, { 2.9, 2 } } do
      local from = consumer()
      local partitions = kafka.assign(from, "topic", row[1], LIMIT_MS)
      assert.equal(4, partitions)
      assert.is_true(kafka.is_assigned(from))
      local all = read_all(from, partitions)
      assert.equal(row[2], #all)
      for i, message in ipairs(all) do assert.equal("value " .. 6 - #all + i, message.value) end
      kafka.close(from)
    end
  end)

  it("what is done with is told to the broker", function()
    local from = consumer "members" -- who may be one still after this: its group takes nothing from who is none
    assert.is_false(kafka.is_assigned(from))
    assert.same({ true }, { kafka.commit_offsets(from) }) -- nothing yet
    assert.same({ true }, { kafka.subscribe(from, "topic") })
    kafka.close(from)
    from = consumer()
    kafka.assign(from, "topic", math.huge, LIMIT_MS)
    local found
    repeat found = take(from) until found.value
    assert.equal(0, select("#", kafka.store(from, "topic", found.partition, found.offset)))
    assert.same({ true }, { kafka.commit_offsets(from) })
    kafka.close(from)
  end)

  it("steps out of their turn are told, and what is aborted is not there", function()
    local word, why = kafka.commit(producer, 60000)
    assert.equal("fatal", word)
    assert.truthy(why:find("Kafka: ", 1, true))
    assert.same({ "done" }, { kafka.begin(producer) })
    assert.equal("fatal", (kafka.begin(producer)))
    assert.same({ "done" }, { kafka.produce(producer, "aborted", "k", "v", {}) })
    assert.same({ "done" }, { kafka.abort(producer, LIMIT_MS) })
    assert.equal("fatal", (kafka.abort(producer, LIMIT_MS)))
    word, why = kafka.produce(producer, "aborted", "k", "v", {})
    assert.equal("abort", word)
    assert.is_string(why)
  end)

  it("a broker that is not there is waited for as long as it is told", function()
    local lonely = assert(kafka.open(true, { "bootstrap.servers", "127.0.0.1:1", "transactional.id", "x" }))
    local word, why = kafka.init(lonely, 1)
    assert.equal("again", word)
    assert.is_string(why)
    kafka.close(lonely)
    local from = assert(kafka.open(false, { "bootstrap.servers", "127.0.0.1:1", "group.id", "x" }))
    refused("Kafka does not tell its partitions", kafka.assign(from, "topic", 0, 1))
    refused("Kafka does not tell its partitions", kafka.assign(from, "topic", 0, 0))
    assert.equal(0, select("#", kafka.take(from)))
    kafka.close(from)
  end)

  it("a descriptor is readable after a time", function()
    local from = consumer()
    assert.equal(0, select("#", kafka.arm(from, 0.01)))
    assert.is_true(core.wait(kafka.fd(from), LIMIT_MS / 1000))
    kafka.arm(from)
    kafka.close(from)
  end)

  it("settings are names and values, and these are librdkafka's", function()
    refused('Kafka\'s setting nonsense: No such configuration property: "nonsense"', kafka.open(true,
      { "nonsense", "1" }))
    refused("Kafka: ", kafka.open(false, { "enable.partition.eof", "true", "queue.buffering.max.messages", "1",
      "transactional.id", "x", "group.id", "x", "fetch.max.bytes", "0", "message.max.bytes", "1000000000" }))
    kafka.close(assert(kafka.open(true, { "client.id" }))) -- a name without a value says nothing
    local many = {}
    for i = 1, 1000 do many[i] = i % 2 == 1 and "client.id" or "x" .. i end
    kafka.close(assert(kafka.open(true, many)))
    many[1001] = "client.id"
    raises("bad argument #2", kafka.open, true, many)
    raises("too many", kafka.open, true, many)
    raises("texts are expected", kafka.open, true, { "client.id", 5 })
    raises("table expected", kafka.open, true)
  end)

  it("a place that is none is told, and passes", function()
    local from = assert(kafka.open(false, { "bootstrap.servers", address, "group.id", "new", "auto.offset.reset",
      "error", "fetch.wait.max.ms", "10" }))
    assert.same({ true }, { kafka.subscribe(from, "topic") })
    local found = take(from)
    assert.same({ "passing", "string", "number" }, { found.failure, type(found.reason), type(found.partition) })
    kafka.close(from)
  end)

  it("arguments out of range raise", function()
    local from = consumer()
    for _, ms in ipairs { -1, 60001 } do
      for _, name in ipairs { "init", "commit", "abort" } do
        raises("bad argument #2", kafka[name], producer, ms)
        raises("0 to 60000 ms are expected", kafka[name], producer, ms)
      end
      raises("bad argument #4", kafka.assign, from, "topic", 0, ms)
    end
    raises("a number of messages is expected", kafka.assign, from, "topic", -1, 1)
    raises("bad argument #3", kafka.assign, from, "topic", 0 / 0, 1)
    raises("bad argument #2", kafka.assign, from, {}, 1, 1)
    raises("bad argument #2", kafka.subscribe, from, {})
    local headers = {}
    for i = 1, 33 do headers[i] = "x" end
    raises("bad argument #5", kafka.produce, producer, "topic", "k", "v", headers)
    raises("too many", kafka.produce, producer, "topic", "k", "v", headers)
    raises("texts are expected", kafka.produce, producer, "topic", "k", "v", { "a", 1 })
    for place = 2, 4 do
      local arguments = { "topic", "k", "v" }
      arguments[place - 1] = {}
      raises("bad argument #" .. place, kafka.produce, producer, arguments[1], arguments[2], arguments[3], {})
    end
    kafka.close(from)
  end)

  it("what is closed is closed, once", function()
    local from = consumer()
    assert.equal(0, select("#", kafka.close(from)))
    kafka.close(from)
    for _, name in ipairs { "fd", "subscribe", "assign", "take", "is_assigned", "store", "commit_offsets" } do
      raises("it is closed", kafka[name], from, "topic", 1, 1)
    end
    raises("it is closed", kafka.arm, from, 1)
    for _, name in ipairs { "begin", "produce" } do raises("it is closed", kafka[name], from, "t", "k", "v", {}) end
    for _, name in ipairs { "init", "commit", "abort" } do raises("it is closed", kafka[name], from, 1) end
    for _, name in ipairs { "close", "fd", "arm", "take", "is_assigned", "commit_offsets", "begin", "init", "commit",
      "abort" } do
      raises("bad argument #1", kafka[name], io.stdout, 1)
    end
    for _, name in ipairs { "subscribe", "assign", "store" } do
      raises("bad argument #1", kafka[name], io.stdout, "topic", 1, 1)
    end
    raises("bad argument #1", kafka.produce, io.stdout, "t", "k", "v", {})
    assert.equal("chainlink.kafka", getmetatable(from))
    local other = consumer() -- and what was collected, as finalizers may find it
    for _ = 1, 2 do assert.equal(0, select("#", debug.getmetatable(other).__gc(other))) end
    raises("it is closed", kafka.take, other)
  end)
end)
