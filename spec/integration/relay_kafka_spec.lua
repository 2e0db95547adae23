-- SPDX-License-Identifier: MIT
-- Reports through a real Kafka: what the relay brings, whoever is killed, and what a source reads.

local await = require "spec.support.await"
local chainlink = require "chainlink"
local failure = require "spec.support.failure"
local kafka_server = require "spec.support.kafka_server"
local project = require "spec.support.project"
local relaying = require "spec.support.relaying"
local simulator = require "spec.support.simulator"

local has_module, why = pcall(require, "chainlink.kafka")
local jars, no_jars = kafka_server.jars()
local absent = not has_module and "built without librdkafka: " .. why:match "^[^\n]*" or not jars and no_jars or nil

if absent then
  describe("the relay into Kafka", function() it("brings reports", function() pending(absent) end) end)
  return
end

describe("the relay into Kafka", function()
  local server, sim, client, ids
  local running, topics = {}, 0

  setup(function() server = kafka_server.start(jars) end)
  teardown(function() server:stop() end)

  local function url() return ("kafka://%s/reports%d"):format(server.servers, topics) end

  local function relay(words)
    local self = relaying.start(sim, ("%s %s"):format(words or "--kafka " .. url(), table.concat(ids, " ")))
    running[#running + 1] = self
    return self
  end

  local function source(options)
    local all = { url = url(), feeds = ids, log_level = "none", loop = "block", from = "all" }
    for name, value in pairs(options or {}) do all[name] = value end
    local self = chainlink.source.kafka(all)
    running[#running + 1] = { stop = function() self:close() end }
    return self
  end

  local function read(from, count, list)
    list = list or {}
    for _ = 1, count do list[#list + 1] = assert(from:read(60)) end
    return list
  end

  before_each(function()
    topics = topics + 1
    sim = simulator.start { rate_limit = 0, feeds = 3, ms_feeds = 3, rate = 10, signers = 4 }
    client = sim:client { rate_limit = false }
    ids = {}
    for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = feed.id end
  end)
  after_each(function()
    for _ = 1, #running do table.remove(running).stop() end
    client:close()
    sim:stop()
  end)

  local function check(reports) relaying.check(client, reports) end

  it("brings all, once and in order, and a source reads it, whoever was killed", function()
    local first = relay()
    local from = source()
    local reports = read(from, 40)
    first.stop()
    relay()
    read(from, 40, reports)
    server:kill()
    server:run()
    read(from, 60, reports)
    check(reports)
    assert.equal(0, from:stats().lost)
    assert.equal(reports[140], from:latest(reports[140].feed_id))
    from:close()
    failure.failure("StreamClosedError", {}, from:read())
  end)

  it("has one relay: the newer one takes over", function()
    local first = relay()
    local from = source()
    local reports = read(from, 20)
    relay()
    await("the first one's end", function()
      return first.output():find("another relay of this topic has taken over", 1, true)
    end)
    check(read(from, 40, reports))
  end)

  it("goes by TLS and with a password, by settings of librdkafka's, and nobody is told it", function()
    local secure = url():gsub(server.servers, server.secure_servers, 1)
    local settings = { ["security.protocol"] = "SASL_SSL", ["ssl.ca.location"] = server.ca_file,
      ["sasl.mechanisms"] = "PLAIN", ["sasl.username"] = "reader", ["sasl.password"] = "the-secret" }
    local folder, remove = project.folder()
    local lines = {}
    for name, value in pairs(settings) do lines[#lines + 1] = name .. "=" .. value .. "\n" end
    project.write(folder .. "/settings", table.concat(lines))
    local one = relay(("--kafka %s --kafka-settings %s/settings"):format(secure, folder))
    check(read(source { url = secure, settings = settings }, 30))
    project.write(folder .. "/settings", (table.concat(lines):gsub("the%-secret", "another-secret")))
    local stranger = relay(("--kafka %s --kafka-settings %s/settings"):format(secure, folder))
    await("its end", function() return stranger.output():find("AuthenticationError: Kafka: ", 1, true) end)
    remove()
    settings["sasl.password"] = "another-secret"
    local texts = { one.output(), stranger.output() }
    for _, group in ipairs { false, "strangers" } do
      local from = source { url = secure, settings = settings, group = group or nil }
      local err = failure.failure("AuthenticationError", {}, from:read(60))
      texts[#texts + 1] = tostring(failure.says(err, "Authentication failed"))
    end
    assert.is_nil(table.concat(texts):find("secret", 1, true))
  end)

  it("has groups that share the work", function()
    relay()
    local one = source { group = "workers" }
    local reports = read(one, 20)
    assert.is_true(one:ack())
    one:close()
    local two = source { group = "workers" }
    read(two, 20, reports)
    check(reports)
  end)
end)
