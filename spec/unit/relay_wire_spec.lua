-- SPDX-License-Identifier: MIT
-- A connection to Redis: how it greets, how it is made anew, and what becomes of questions.

local has_module = pcall(require, "chainlink.redis") and pcall(require, "socket")
if not has_module then
  describe("a connection to Redis", function()
    it("is made", function() pending "built without hiredis, or no luasocket here" end)
  end)
  return
end

local await = require "spec.support.await"
local redis = require "chainlink.redis"
local scripted_redis = require "spec.support.scripted_redis"
local stopped_clock = require "spec.support.stopped_clock"
local wire = require "chainlink.relay.wire"

describe("a connection to Redis", function()
  local server, clock, random, told, one, answers
  local owner = {
    on_up = function() told[#told + 1] = "up" end,
    on_down = function(_, _, words, was_up) told[#told + 1] = (was_up and "was up: " or "down: ") .. words end,
    on_refused = function(_, _, words) told[#told + 1] = "refused: " .. words end,
  }

  before_each(function()
    told, answers, random = {}, { PING = "PONG" }, math.random
    math.random = function() return 1 end -- luacheck: ignore 122
    clock = stopped_clock.at(1000)
    server = scripted_redis.start(function(command) return answers[command[1]] or command[#command] end)
  end)
  after_each(function()
    math.random = random -- luacheck: ignore 122
    clock.restore()
    one:close()
    server:stop()
  end)

  local function make(access)
    one = wire.new(assert(redis.poller()), access or {}, server.place, owner)
    return one
  end

  local function turn()
    server:pump()
    one:step()
  end

  local function turn_until(what, condition)
    await(what, function()
      turn()
      return condition()
    end)
  end

  local function up(access)
    make(access)
    turn_until("the connection", function() return one:is_up() end)
    server:heard()
    told = {}
    return one
  end

  local function ask(list, ...)
    one:call({ ... }, function(value, words) list[#list + 1] = value == nil and "nil: " .. words or value end)
  end

  for words, access in pairs {
    ["PING"] = {}, ["AUTH p|PING"] = { password = "p" }, ["AUTH u p|SELECT 3|PING"] = { user = "u", password = "p",
      database = "3" }, ["SELECT 2|PING"] = { user = "u", database = "2" } } do
    it("greets by " .. words, function()
      make(access)
      assert.is_false(one:is_up())
      turn_until("the connection", function() return one:is_up() end)
      assert.equal(words, table.concat(server:heard(), "|"))
      assert.same({ "up" }, told)
    end)
  end

  it("is up when all greetings are answered, not before", function()
    answers.PING = scripted_redis.NOTHING
    make { database = "1" }
    turn_until("the last greeting", function() return #server.asked == 2 end)
    for _ = 1, 3 do turn() end
    assert.is_false(one:is_up())
    server:tell(1, "PONG")
    turn_until("the connection", function() return one:is_up() end)
  end)

  it("tells who is refused for good, and tries again all the same", function()
    answers.AUTH = { error = "WRONGPASS no" }
    make { password = "p" }
    turn_until("the refusal", function() return told[2] end)
    assert.same({ "refused: WRONGPASS no", "down: WRONGPASS no" }, told)
    assert.is_false(one:is_up())
  end)

  it("tries again while the server loads its data", function()
    answers.PING = { error = "LOADING" }
    make()
    turn_until("the answer", function() return told[1] end)
    answers.PING, clock.now = "PONG", clock.now + 1
    turn_until("the connection", function() return one:is_up() end)
    assert.same({ "down: LOADING", "up" }, told)
  end)

  it("answers in order, and not when it is not up", function()
    local got = {}
    make()
    ask(got, "ECHO", "early")
    turn_until("the connection", function() return one:is_up() end)
    ask(got, "ECHO", "a")
    ask(got, "ECHO", "b")
    turn_until("the answers", function() return #got == 3 end)
    ask(got, "ECHO", "c")
    turn_until("one more", function() return #got == 4 end)
    assert.same({ "nil: not connected", "a", "b", "c" }, got)
  end)

  it("sends what an answer leads to at once", function()
    up()
    local got = {}
    one:call({ "ECHO", "first" }, function() ask(got, "ECHO", "second") end)
    one:step()
    await("the first", function()
      server:pump()
      return server.asked[1]
    end)
    await("the second's way", function()
      one:step() -- one step takes the first answer and sends the second question
      return one.asked[1] == nil
    end)
    assert.is_false(one.has_unsent)
    turn_until("the second", function() return got[1] == "second" end)
  end)

  it("hands a question that is cut off back, with why", function()
    up()
    local got = {}
    answers.ECHO = scripted_redis.END
    ask(got, "ECHO", "a")
    ask(got, "ECHO", "b")
    turn_until("the end", function() return told[1] end)
    assert.equal(2, #got)
    for _, words in ipairs(got) do assert.truthy(words:find "^nil: .") end
    assert.truthy(told[1]:find "^was up: .")
    assert.is_false(one:is_up())
    ask(got, "ECHO", "c")
    assert.equal("nil: not connected", got[3])
    answers.ECHO, clock.now = nil, clock.now + 5
    turn_until("another connection", function() return one:is_up() end)
    ask(got, "ECHO", "d")
    turn_until("its answer", function() return got[4] end)
    assert.equal("d", got[4])
  end)

  it("takes the answers that came before the end", function()
    up()
    local got = {}
    answers.LAST = scripted_redis.END
    ask(got, "ECHO", "a")
    ask(got, "LAST", "b")
    turn_until("the end", function() return told[1] end)
    assert.equal("a", got[1])
    assert.truthy(got[2]:find "^nil: ")
  end)

  it("does not bear an answer that nobody asked for", function()
    up()
    server:tell(1, "what?")
    turn_until("the end", function() return told[1] end)
    assert.same({ "was up: the server answered what nobody had asked" }, told)
  end)

  it("does not bear what is no answer", function()
    up()
    local got = {}
    answers.ECHO = scripted_redis.NOTHING
    ask(got, "ECHO", "a")
    turn_until("the question's way", function() return server.asked[1] end)
    server:send(1, "nonsense\r\n")
    turn_until("the end", function() return told[1] end)
    assert.truthy(told[1]:find "^was up: Protocol error" or told[1]:find "^was up: .*[Pp]rotocol", told[1])
    assert.truthy(got[1]:find "^nil: ")
  end)

  it("gives up a server that is silent for 15 seconds", function()
    up()
    answers.ECHO = scripted_redis.NOTHING
    local got = {}
    clock.now = clock.now + 100 -- idle is not silent
    turn()
    assert.same({}, told)
    assert.is_nil(one:due())
    ask(got, "ECHO", "a")
    assert.equal(clock.now + 15, one:due())
    turn_until("the question's way", function() return server.asked[1] end)
    clock.now = clock.now + 10
    ask(got, "ECHO", "b") -- the first one's time counts
    turn_until("the second's way", function() return server.asked[2] end)
    clock.now = clock.now + 5
    for _ = 1, 3 do turn() end
    assert.same({}, told)
    clock.now = clock.now + 0.01
    turn()
    assert.same({ "was up: no answer within 15 seconds" }, told)
    assert.same({ "nil: no answer within 15 seconds", "nil: no answer within 15 seconds" }, got)
  end)

  it("waits for the next answer as long as for the first", function()
    up()
    answers.ECHO = scripted_redis.NOTHING
    local got = {}
    ask(got, "ECHO", "a")
    ask(got, "ECHO", "b")
    turn_until("the questions' way", function() return server.asked[2] end)
    clock.now = clock.now + 14
    server:tell(1, "a")
    turn_until("an answer", function() return got[1] end)
    assert.equal(clock.now + 15, one:due())
    clock.now = clock.now + 15
    turn()
    assert.same({}, told)
    clock.now = clock.now + 0.01
    turn()
    assert.same({ "was up: no answer within 15 seconds" }, told)
  end)

  it("tells at once what cannot be connected to at all", function()
    make()
    one.place = { host = "/nonexistent/socket", port = 0 }
    one:step()
    assert.equal(1, #told)
    assert.truthy(told[1]:find "^down: .")
  end)

  it("does not bear more than can wait to be sent", function()
    up()
    local got = {}
    ask(got, "ECHO", ("x"):rep(2 ^ 26))
    assert.same({ "nil: too much waits to be sent to Redis" }, got)
    assert.same({ "was up: too much waits to be sent to Redis" }, told)
  end)

  it("is made anew later and later, up to two seconds", function()
    make()
    one.place = { host = "127.0.0.1", port = server.port }
    server.listener:close()
    assert.equal(0, one:due())
    for _, delay in ipairs { 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2, 2 } do
      told = {}
      await("a failure", function()
        one:step()
        return told[1]
      end)
      assert.truthy(told[1]:find "^down: .")
      assert.is_true(math.abs(one:due() - clock.now - delay) < 1e-6, delay .. ", not " .. one:due() - clock.now)
      one:step() -- too early
      assert.equal(1, #told)
      clock.now = one:due()
    end
    math.random = function() return 0 end -- luacheck: ignore 122
    told = {}
    await("a failure", function()
      one:step()
      return told[1]
    end)
    assert.is_true(math.abs(one:due() - clock.now - 1) < 1e-6)
    one:close()
    assert.equal(0, one:due())
    assert.equal(0, one.attempts)
  end)

  it("begins anew with short delays once it was up", function()
    up()
    one:fail "a"
    assert.equal(1, one.attempts)
    clock.now = clock.now + 5
    turn_until("another connection", function() return one:is_up() end)
    assert.equal(0, one.attempts)
  end)

  it("answers what was asked when it is closed, and tells its owner nothing", function()
    up()
    answers.ECHO = scripted_redis.NOTHING
    local got = {}
    ask(got, "ECHO", "a")
    ask(got, "ECHO", "b")
    collectgarbage "stop" -- which would close what nobody closed
    one:close()
    assert.same({ "nil: the connection was closed", "nil: the connection was closed" }, got)
    assert.same({}, told)
    assert.is_false(one:is_up())
    turn_until("another connection", function() return one:is_up() end)
    await("the old one's end", function()
      server:pump()
      return server:open() == 1
    end)
    collectgarbage "restart"
  end)

  it("knows when it has work", function()
    make()
    assert.is_true(one:has_work({}, 0)) -- to connect
    turn_until("the connection", function() return one:is_up() end)
    answers.ECHO = scripted_redis.NOTHING
    one:step()
    assert.is_false(one:has_work({}, clock.now + 1000))
    assert.is_true(one:has_work({ [one.fd] = true }, clock.now))
    assert.is_false(one:has_work({ [one.fd + 1] = true }, clock.now))
    ask({}, "ECHO", "a")
    assert.is_true(one:has_work({}, clock.now))
    one:step()
    assert.is_false(one:has_work({}, clock.now + 14.9))
    assert.is_true(one:has_work({}, clock.now + 15))
    one:fail "x"
    assert.is_false(one:has_work({ [one.fd] = true }, clock.now))
  end)
end)

describe("an error answer of Redis", function()
  for _, text in ipairs { "NOAUTH x", "WRONGPASS x", "NOPERM x", "ERR AUTH x", "ERR invalid password", "ERR invalid DB",
    "ERR DB index is out of range", "ERR unknown command 'FCALL'", "WRONGTYPE x" } do
    it("is for good: " .. text, function() assert.is_true(wire.is_refusal(text)) end)
  end

  it("is not, else", function()
    for _, text in ipairs { "LOADING x", "CLUSTERDOWN x", "OOM x", "ERR Function not found", "x NOAUTH" } do
      assert.is_false(wire.is_refusal(text))
    end
  end)

  it("is an error of ours of a fitting kind", function()
    local one = wire.new(nil, {}, { host = "h", port = 7 }, nil)
    for words, kind in pairs { ["NOAUTH x"] = "AuthenticationError", ["WRONGTYPE x"] = "APIError",
      ["ERR unknown command x"] = "ConfigError" } do
      local err = wire.refusal(one, words)
      assert.equal(kind, err.kind)
      local hint = kind == "ConfigError" and "; Redis 7 or later is wanted" or ""
      assert.equal("Redis at h:7 refuses: " .. words .. hint, err.message)
    end
  end)
end)
