-- SPDX-License-Identifier: MIT
local expect = require "spec.support.failure"
local host = require "spec.support.host"
local project = require "spec.support.project"
local scenes = require "spec.hosts.scenes"
local simulator = require "spec.support.simulator"
local waits = require "spec.hosts.waits"

if not host.has "luv" then
  pending("luv is not there for this Lua", function() end)
  return
end

scenes("luv", host.luv)
waits("luv", host.luv, { in_order = true, refresh = require("luv").update_time })

describe("luv", function()
  local sim
  setup(function() sim = simulator.start { feeds = 2, rate = 5 } end)
  teardown(function() sim:stop() end)

  it("waits in coroutines only", function()
    local client = sim:client { loop = "luv" }
    local co = coroutine.running()
    if co and not select(2, coroutine.running()) then return pending "the specs run in a coroutine here" end
    expect.says(expect.raised("ConfigError", {}, client.get_feeds, client), "only a coroutine can wait")
    client:close()
  end)
end)

-- Of a process of its own, as what is raised in libuv's callbacks ends it. `wait(name)` waits in a new coroutine and
-- prints the name; on 127.0.0.1 there is something to read once `ready` is called.
local WAITING = [[
  io.stdout:setvbuf "no"
  local uv, socket = require "luv", require "socket"
  local loop = require "chainlink.loop.luv"
  local listener = socket.bind("127.0.0.1", 0)
  local address, port = listener:getsockname()
  local writer = socket.connect(address, port)
  local reader = listener:accept()
  local function ready() writer:send "x" end
  local function wait(name, seconds, after)
    local thread = coroutine.create(function()
      loop.wait(reader:getfd(), seconds)
      print(name)
      if after then after() end
    end)
    assert(coroutine.resume(thread))
    return thread
  end
]]

describe("a coroutine under luv", function()
  local folder, remove
  setup(function() folder, remove = project.folder() end)
  teardown(function() remove() end)

  local function run(program)
    project.write(folder .. "/program.lua", program)
    return project.run(("timeout 60 %s %s/program.lua"):format(project.lua, folder))
  end

  it("that fails keeps no other from being woken, and its words are told as they are", function()
    local output, status = run(WAITING .. [[
      wait("first", nil, function() error("on purpose", 0) end)
      wait("second")
      ready()
      uv.run()
    ]])
    assert.are_not.equal(0, status)
    assert.matches("^first\nsecond\nUncaught Error: on purpose\n", output)
  end)

  it("that fails after its time is over is told of", function()
    local output, status = run(WAITING .. [[
      wait("first", 0.01, function() error("on purpose", 0) end)
      uv.run()
    ]])
    assert.are_not.equal(0, status)
    assert.matches("^first\n.*: on purpose\n", output)
  end)

  -- What has ended it takes no part any more; there is no other way before Lua 5.4.
  local define = coroutine.close and it or pending -- luacheck: ignore 143

  define("that was closed while it waited is left alone, and the loop ends", function()
    local output, status = run(WAITING .. [[
      local closed = wait("closed")
      wait("second")
      coroutine.close(closed)
      ready()
      uv.run()
      wait("again")
      uv.run()
    ]])
    assert.are.same({ "second\nagain\n", 0 }, { output, status })
  end)

  define("that was closed while it waited for a time is left alone, and the loop ends", function()
    local output, status = run(WAITING .. [[
      coroutine.close(wait("closed", 0.01))
      ready()
      uv.run()
      print "over"
    ]])
    assert.are.same({ "over\n", 0 }, { output, status })
  end)

  it("waits in the library that the host has loaded, by either name", function()
    for _, name in ipairs { "luv", "uv" } do
      local output, status = run(([[
        local uv = require "luv"
        package.loaded.luv, package.loaded.uv = nil, nil
        package.preload.luv = function() error "another one" end
        package.loaded.%s = uv
        local loop = require "chainlink.loop.luv"
        coroutine.wrap(function()
          loop.wait(-1, 0.01)
          print "over"
        end)()
        uv.run()
      ]]):format(name))
      assert.are.same({ "over\n", 0 }, { output, status })
    end
  end)

  it("needs none of them to be loaded", function()
    local output, status = run 'print(type(require("chainlink.loop.luv").wait))'
    assert.are.same({ "function\n", 0 }, { output, status })
  end)
end)
