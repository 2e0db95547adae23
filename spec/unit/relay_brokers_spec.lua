-- SPDX-License-Identifier: MIT
-- URLs and settings of Kafka, and what needs no broker.

local brokers = require "chainlink.relay.brokers"
local chainlink = require "chainlink"
local failure = require "spec.support.failure"
local open_files = require "spec.support.open_files"
local project = require "spec.support.project"

local id = "0x0003" .. ("ab"):rep(30)
local has_module = pcall(require, "chainlink.kafka")

describe("a URL of Kafka", function()
  it("is read", function()
    assert.same({ servers = "a:9092,[::1]:2,c", topic = "my.topic-1" },
      brokers.parse("kafka://a:9092,[::1]:2,c/my.topic-1", "url"))
    assert.equal(249, #brokers.parse("kafka://h/" .. ("t"):rep(249), "url").topic)
  end)

  for _, url in ipairs { "", "kafka://", "kafka://h", "kafka://h/", "kafka:///t", "kafka://h/a/b", "kafka://h/a b",
    "redis://h/t", "kafka://h/" .. ("t"):rep(250) } do
    it("is refused: " .. url, function()
      failure.says(failure.raised("ConfigError", {}, brokers.parse, url, "--kafka"), "--kafka must be kafka://")
    end)
  end

  it("is refused when it is no text", function()
    for _, value in ipairs { 5, true } do
      local err = failure.raised("ConfigError", {}, brokers.parse, value, "--kafka")
      assert.equal("--kafka must be kafka://host:port[,host:port...]/topic: got a " .. type(value), err.message)
    end
  end)
end)

describe("settings of Kafka", function()
  it("are the broker's, ours, and above them the program's", function()
    local list = brokers.settings({ servers = "h:1", topic = "t" }, { a = "1", b = "2" }, { b = "3", c = "4" })
    local all = {}
    for i = 1, #list, 2 do all[list[i]] = list[i + 1] end
    assert.same({ ["bootstrap.servers"] = "h:1", a = "1", b = "3", c = "4" }, all)
  end)

  it("are names and texts", function()
    assert.is_true(brokers.are_settings { a = "1" })
    for _, value in ipairs { 5, "a", { a = 1 }, { "a" } } do assert.is_false(brokers.are_settings(value)) end
  end)

  it("leave no file open", function()
    local folder, remove = project.folder()
    project.write(folder .. "/good", "a=1\n")
    project.write(folder .. "/bad", "nonsense\n")
    local left = open_files.left_by(function()
      for _ = 1, 5 do
        brokers.read(folder .. "/good")
        brokers.read(folder .. "/bad")
      end
    end)
    remove()
    assert.equal(0, left)
  end)

  it("are read from a file, and a line that is none is named", function()
    local folder, remove = project.folder()
    project.write(folder .. "/good", "# words\n\nsasl.username = me\nsasl.password=a=b c \n")
    project.write(folder .. "/bad", "a=1\nnonsense\n")
    local settings = brokers.read(folder .. "/good")
    local _, bad = brokers.read(folder .. "/bad")
    local _, missing = brokers.read(folder .. "/none")
    remove()
    assert.same({ ["sasl.username"] = "me", ["sasl.password"] = "a=b c" }, settings)
    failure.says(failure.failure("ConfigError", {}, nil, bad), "/bad:2: a line name=value is expected")
    failure.failure("FileError", {}, nil, missing)
  end)
end)

describe("a source in Kafka", function()
  local function refused(settings)
    local options = { url = "kafka://127.0.0.1:1/t", feeds = { id }, loop = "block", settings = settings }
    return failure.failure("ConfigError", {}, chainlink.source.kafka(options))
  end

  it("wants a group's name that is one", function()
    if not has_module then return pending "built without librdkafka" end
    failure.says(refused { ["group.id"] = "" }, "Kafka's setting group.id: a name is expected")
  end)

  it("repeats no secret of settings that are refused", function()
    if not has_module then return pending "built without librdkafka" end
    for _, settings in ipairs {
      { ["security.protocol"] = "SASL_SSL", ["sasl.mechanisms"] = "SCRAM-SHA-256", ["sasl.password"] = "the-secret" },
      { ["security.protocol"] = "SSL", ["ssl.key.pem"] = "the-secret" },
      { ["security.protocol"] = "SSL", ["ssl.key.location"] = "/nonexistent", ["ssl.key.password"] = "the-secret" },
      { ["security.protocol"] = "none", ["sasl.password"] = "the-secret" },
    } do
      assert.is_nil(tostring(refused(settings)):find("the-secret", 1, true))
    end
  end)

  local wrong = {
    { { feeds = { id } }, "url and feeds are required" }, { { url = "kafka://h/t" }, "url and feeds are required" },
    { { url = "x", feeds = { id } }, "url must be kafka://" },
    { { url = "kafka://h/t", feeds = { id }, from = 5 }, 'option \'from\' must be "new" or "all"' },
    { { url = "kafka://h/t", feeds = { id }, settings = { 1 } }, "option 'settings' must be a table of librdkafka's" },
    { { url = "kafka://h/t", feeds = { id }, settings = "simulator-secret" }, "option 'settings' must be a table" },
    { { url = "kafka://h/t", feeds = { id }, group = 5 }, "option 'group' must be a text" },
    { { url = "kafka://h/t", feeds = { id }, group = "" }, "option 'group' is empty" },
    { { url = 5, feeds = { id } }, "option 'url' must be a URL" },
    { { url = "kafka://h/t", feeds = id }, "option 'feeds' must be an array" },
    { { url = "kafka://h/t", feeds = { id }, consumer = "c" }, "consumer" },
  }
  for _, case in ipairs(wrong) do
    it("is refused: " .. case[2], function()
      if not has_module then return pending "built without librdkafka" end
      failure.says(failure.raised("ConfigError", {}, chainlink.source.kafka, case[1]), case[2])
    end)
  end

  it("tells which setting librdkafka refuses, and what it cannot reach", function()
    if not has_module then return pending "built without librdkafka" end
    local options = { url = "kafka://127.0.0.1:1/t", feeds = { id }, loop = "block", settings = { nonsense = "1" } }
    failure.says(failure.failure("ConfigError", {}, chainlink.source.kafka(options)), "Kafka's setting nonsense")
    options.settings = nil
    local source = chainlink.source.kafka(options)
    failure.says(failure.failure("TimeoutError", {}, source:connect(0.3)), "the last failure: Kafka")
    failure.failure("TimeoutError", {}, source:read(0))
    assert.is_nil((source:poll()))
    source:close()
    failure.failure("StreamClosedError", {}, source:read())
  end)
end)
