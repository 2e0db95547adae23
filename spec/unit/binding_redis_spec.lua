-- SPDX-License-Identifier: MIT
-- Redis below the relay's Lua: what is sent and answered, in which form, and what is refused.

local core = require "chainlink.core"
local project = require "spec.support.project"
local redis_server = require "spec.support.redis_server"
local refusal = require "spec.support.refusal"
local tls_server = require "spec.support.tls_server"

local has_module, redis = pcall(require, "chainlink.redis")
local absent = not has_module and "built without hiredis" or not redis_server.is_there() and "Redis is not here" or nil
if absent then
  describe("the binding of Redis", function() it("is there", function() pending(absent) end) end)
  return
end

local raises, refused = refusal.raises, refusal.refused
local LIMIT = 30 -- seconds, for a hang

describe("the binding of Redis:", function()
  local server, poller, link
  local port = redis_server.free_port()
  setup(function() server = redis_server.start("--bind 127.0.0.1 --port " .. port) end)
  teardown(function() server:stop() end)

  before_each(function()
    poller = assert(redis.poller())
    link = assert(redis.connect(poller, server.path, 0))
  end)
  after_each(function() redis.close(link) end)

  -- Waits until there is something to do, for the poller tells of it once.
  local function wait()
    assert.is_true(core.wait(redis.poller_fd(poller), LIMIT))
    return redis.poller_ready(poller)
  end

  -- The next answer.
  local function answer(which)
    which = which or link
    repeat
      assert.same({ true }, { redis.work(which) })
      local found, value = redis.reply(which)
      assert.is_boolean(found)
      if found then return value end
      wait()
    until false
  end

  local function ask(...)
    assert.same({ true }, { redis.send(link, { ... }) })
    return answer()
  end

  local function eval(script, ...) return ask("EVAL", script, "0", ...) end

  it("each kind of answer has its form", function()
    assert.equal("PONG", ask "PING")
    assert.equal("a\0b\r\n\255", ask("ECHO", "a\0b\r\n\255"))
    assert.equal("", ask("ECHO", ""))
    assert.equal(42, eval "return 42")
    assert.equal(-1, eval "return -1")
    assert.is_false(eval "return false")
    assert.same({}, eval "return {}")
    assert.same({ 1, "two", { "three", {}, false }, 4 }, eval "return {1, 'two', {'three', {}, false}, 4}")
    local err = eval "return redis.error_reply('NO way')"
    assert.equal("table", type(err))
    assert.same({ "error" }, { (next(err)) })
    assert.truthy(err.error:find("NO way", 1, true))
    assert.same({ false }, { (redis.reply(link)) }) -- none is left
    assert.equal(1, select("#", redis.reply(link)))
  end)

  it("answers come in the order of the questions, whatever their size", function()
    local large = ("x"):rep(300000)
    for i = 1, 50 do assert.is_true(redis.send(link, { "ECHO", i % 10 == 0 and large .. i or tostring(i) })) end
    for i = 1, 50 do assert.equal(i % 10 == 0 and large .. i or tostring(i), answer()) end
    assert.is_true(redis.send(link, { "ECHO", ("y"):rep(8 * 1024 * 1024) }))
    assert.equal(8 * 1024 * 1024, #answer())
  end)

  it("an array that is deep is read", function()
    local script = "local t = {} for i = 1, 6 do t = {t, i} end return t"
    local expected = {}
    for i = 1, 6 do expected = { expected, i } end
    assert.same(expected, eval(script))
  end)

  it("a command has many arguments, texts all", function()
    local words = { "RPUSH", "list" }
    for i = 1, 2000 do words[#words + 1] = "v" .. i end
    assert.is_true(redis.send(link, words))
    assert.equal(2000, answer())
    local list = ask("LRANGE", "list", "0", "-1")
    assert.equal(2000, #list)
    assert.same({ "v1", "v2000" }, { list[1], list[2000] })
    raises("no command", redis.send, link, {})
    words = {}
    for i = 1, 2 ^ 20 do words[i] = "x" end
    assert.is_true(redis.send(link, words))
    words[#words + 1] = "x"
    raises("no command", redis.send, link, words)
    raises("arguments must be strings", redis.send, link, { "ECHO", 5 })
    raises("arguments must be strings", redis.send, link, { {} })
    raises("table expected", redis.send, link, "PING")
    raises("bad argument #2", redis.send, link)
  end)

  it("a server is reached by a port too, and by names as they are", function()
    local other = assert(redis.connect(poller, "127.0.0.1", port))
    assert.is_true(redis.send(other, { "PING" }))
    assert.equal("PONG", answer(other))
    assert.not_equal(redis.fd(link), redis.fd(other))
    redis.close(other)
    for _, wrong in ipairs { -1, 65536 } do
      raises("bad argument #3", redis.connect, poller, "127.0.0.1", wrong)
      raises("no port", redis.connect, poller, "127.0.0.1", wrong)
    end
    raises("string expected", redis.connect, poller, {}, 0)
    raises("number expected", redis.connect, poller, "127.0.0.1", "x")
    raises("bad argument #1", redis.connect, link, "127.0.0.1", 1)
    refused("No such file or directory", redis.connect(poller, server.path .. ".none", 0))
  end)

  it("a connection that is refused or ends is told", function()
    local other = redis.connect(poller, "127.0.0.1", 65535)
    if other then
      local done, why
      repeat
        wait()
        done, why = redis.work(other)
      until not done
      assert.is_nil(done)
      assert.is_string(why)
      redis.close(other)
    end
    assert.equal("PONG", ask "PING")
    assert.is_true(redis.send(link, { "QUIT" }))
    local ended
    repeat
      local good, why = redis.work(link)
      ended = why
      if good then wait() end
    until not good
    assert.is_string(ended)
    assert.same({ true, "OK" }, { redis.reply(link) }) -- what was answered before is still there
  end)

  it("a poller tells what is ready, and when a time is over", function()
    local alone = assert(redis.poller())
    assert.is_false(core.wait(redis.poller_fd(alone), 0))
    assert.same({}, redis.poller_ready(alone))
    assert.equal(0, select("#", redis.poller_arm(alone, 0.001)))
    assert.is_true(core.wait(redis.poller_fd(alone), LIMIT))
    local ready = redis.poller_ready(alone)
    assert.is_true(ready[next(ready)]) -- the clock's descriptor
    assert.is_nil(next(ready, (next(ready))))
    redis.poller_arm(alone, 60)
    assert.is_false(core.wait(redis.poller_fd(alone), 0))
    redis.poller_arm(alone, 0.001)
    redis.poller_arm(alone)
    assert.is_false(core.wait(redis.poller_fd(alone), 0.02))
    raises("number expected", redis.poller_arm, alone, {})
    assert.equal("PONG", ask "PING")
  end)

  it("what is closed is closed, once", function()
    assert.equal(0, select("#", redis.close(link)))
    redis.close(link)
    for _, name in ipairs { "fd", "work", "reply" } do
      raises("the connection is closed", redis[name], link)
      raises("bad argument #1", redis[name], poller)
    end
    raises("the connection is closed", redis.send, link, { "PING" })
    raises("bad argument #1", redis.send, poller, { "PING" })
    for _, name in ipairs { "poller_fd", "poller_arm", "poller_ready" } do
      raises("bad argument #1", redis[name], link, 1)
    end
    assert.equal("chainlink.redis.link", getmetatable(link))
    assert.equal("chainlink.redis.poller", getmetatable(poller))
  end)

  it("TLS has files that can be read, of these names", function()
    local folder, remove = project.folder()
    tls_server.make_certificate(folder)
    for _, name in ipairs { "ca_file", "ca_path", "cert_file", "key_file" } do
      refused("tls." .. name .. ': cannot read "/nonexistent"', redis.security { [name] = "/nonexistent" })
    end
    refused("do not load", redis.security { ca_file = folder .. "/key" })
    local known = assert(redis.security { ca_file = folder .. "/ca", cert_file = folder .. "/ca",
      key_file = folder .. "/key" })
    redis.close(assert(redis.connect(poller, "127.0.0.1", port, known)))
    local plain = assert(redis.connect(poller, "127.0.0.1", port, nil))
    assert.is_true(redis.send(plain, { "PING" }))
    assert.equal("PONG", answer(plain))
    redis.close(plain)
    remove()
    raises("table expected", redis.security, "ca")
    raises("bad argument #4", redis.connect, poller, "127.0.0.1", port, poller)
    raises("bad argument #4", redis.connect, poller, "127.0.0.1", port, false)
    assert.equal("chainlink.redis.security", getmetatable(known))
  end)

  -- As finalizers may find it.
  it("what was collected is closed", function()
    local known = assert(redis.security {})
    for _, value in ipairs { link, poller, known } do
      local finalize = debug.getmetatable(value).__gc
      for _ = 1, 2 do assert.equal(0, select("#", finalize(value))) end
    end
    raises("the connection is closed", redis.work, link)
    for _, name in ipairs { "poller_fd", "poller_arm", "poller_ready" } do
      raises("the poller is closed", redis[name], poller)
    end
    raises("the poller is closed", redis.connect, poller, server.path, 0)
    poller = assert(redis.poller())
    raises("bad argument #4", redis.connect, poller, server.path, 0, known)
    raises("it is closed", redis.connect, poller, server.path, 0, known)
  end)

  it("what nobody has any more is closed", function()
    local function clients() return tonumber((server:ask "INFO clients":match "connected_clients:(%d+)")) end
    local function connect()
      local other = assert(redis.connect(poller, server.path, 0))
      assert.is_true(redis.send(other, { "PING" }))
      assert.equal("PONG", answer(other))
    end
    redis.close(link)
    local before = clients()
    for _ = 1, 5 do connect() end
    collectgarbage()
    collectgarbage()
    local till = core.monotonic() + LIMIT
    while clients() > before and core.monotonic() < till do core.wait(-1, 0.01) end
    assert.equal(before, clients())
  end)
end)
