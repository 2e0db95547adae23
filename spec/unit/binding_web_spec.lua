-- SPDX-License-Identifier: MIT
-- HTTP servers below lua/chainlink/web: what comes in and goes out by each argument, gates, and what is waited for.

local core = require "chainlink.core"
local open_files = require "spec.support.open_files"
local process = require "spec.support.process"
local raises = require("spec.support.refusal").raises
local recording = require "spec.support.recording"
local socket = require "socket"

local LIMIT = 60 -- for a hang

describe("the binding's HTTP servers", function()
  local server, peers
  before_each(function() peers = {} end)
  after_each(function()
    for _, peer in ipairs(peers) do peer:close() end
    if server then core.web_close(server) end
    server = nil
  end)

  local function open(gate)
    server = assert(core.web_open("127.0.0.1", 0, gate))
  end

  local function ask(first, lines)
    local peer = assert(socket.connect("127.0.0.1", core.web_port(server)))
    peers[#peers + 1] = peer
    peer:settimeout(0)
    assert(peer:send(("%s HTTP/1.1\r\nHost: here\r\n%s\r\n"):format(first, lines or "")))
    return peer
  end

  local function until_true(what)
    local limit = socket.gettime() + LIMIT
    while not what() do
      assert(socket.gettime() < limit, "waited in vain")
      core.web_step(server, -1, 0.01)
    end
  end

  -- A listener that somebody waits at.
  local function ready_listener()
    local listener = assert(socket.bind("127.0.0.1", 0))
    peers[#peers + 1] = listener
    local address, port = listener:getsockname()
    peers[#peers + 1] = assert(socket.connect(address, port))
    return listener
  end

  -- All that it gives of the next request.
  local function take()
    local request
    until_true(function()
      request = { core.web_take(server) }
      return request[1]
    end)
    return request
  end

  local function hears(peer, text)
    local got = ""
    until_true(function()
      local all, _, part = peer:receive "*a"
      got = got .. (all or part)
      return #got >= #text
    end)
    assert.equal(text, got)
  end

  it("give a request by its parts, and take an answer by its own", function()
    open()
    local peer = ask("GET /a%20b?c=d&e", "Last-Event-ID: 7\r\n")
    local request = take()
    assert.is_number(request[1])
    table.remove(request, 1)
    assert.same({ "GET", "/a b", "7", "c=d&e", 0, "" }, request)
    assert.equal(0, select("#", core.web_take(server)))
    local second = ask "HEAD /"
    request = take()
    local id = table.remove(request, 1)
    assert.same({ "HEAD", "/", "", "", 0, "" }, request)
    assert.is_true(core.web_send(server, id, "with \0 in it", true))
    assert.is_true(core.web_send(server, id, ", and more", nil))
    assert.is_false(core.web_send(server, id, "too late", false))
    hears(second, "with \0 in it, and more")
    assert.is_false(core.web_send(server, 1000, "nobody", true))
    raises("number expected", core.web_send, server, "x", "text")
    raises("string expected", core.web_send, server, id)
    peer:close()
  end)

  it("have a gate of a key, a secret and feeds", function()
    open { key = "key", secret = "secret", feeds = { recording.id(3, 1) } }
    ask "GET /"
    local request = take()
    assert.same({ 400, "missing authorization headers" }, { request[6], request[7] })
    assert.equal(7, #request)
    raises("bad argument #3 to", core.web_open, "127.0.0.1", 0, { key = "key" })
    raises("a key and a secret belong together", core.web_open, "127.0.0.1", 0, { secret = "secret" })
    for _, feeds in ipairs { { "0x" }, { recording.id(3, 1), "x" } } do
      local nothing, err = core.web_open("127.0.0.1", 0, { feeds = feeds })
      assert.is_nil(nothing)
      assert.equal("InvalidFeedIDError", err.kind)
    end
    for _, gate in ipairs { {}, { feeds = recording.id(3, 1) }, { key = "key", secret = "secret" } } do
      raises("bad argument #3 to", core.web_open, "127.0.0.1", 0, gate)
      raises("feeds are a list", core.web_open, "127.0.0.1", 0, gate)
    end
    local nothing, err = core.web_open("nowhere", 0, { feeds = {} })
    assert.is_nil(nothing)
    assert.equal("ConfigError", err.kind)
    assert.equal("'nowhere' is no IP address", err.message)
    core.web_close(server)
    open { feeds = {} }
    raises("there is no such feed", core.web_tell, server, 1, "x")
  end)

  it("tell the WebSockets of a feed, by its number from 1", function()
    local ids = {}
    for i = 1, 3 do ids[i] = recording.id(3, i) end
    open { feeds = ids }
    assert.equal(0, core.web_tell(server, 1, "nobody hears it"))
    local upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      .. "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    local sockets = {}
    for i = 1, 3 do sockets[i] = ask("GET /api/v1/ws?feedIDs=" .. ids[i], upgrade) end
    for _, peer in ipairs(sockets) do
      local head = ""
      until_true(function()
        repeat
          local byte = peer:receive(1)
          head = head .. (byte or "")
        until not byte or head:find "\r\n\r\n$"
        return head:find "\r\n\r\n$"
      end)
      assert.equal("HTTP/1.1 101 ", head:sub(1, 13))
    end
    for i, text in ipairs { "one", "t\0wo", "three" } do assert.equal(1, core.web_tell(server, i, text)) end
    for i, text in ipairs { "\3one", "\4t\0wo", "\5three" } do hears(sockets[i], "\130" .. text) end
    for _, number in ipairs { 0, 4, -1, 2 ^ 31 } do
      raises("bad argument #2 to", core.web_tell, server, number, "x")
      raises("there is no such feed", core.web_tell, server, number, "x")
    end
    core.web_close(server)
    open()
    raises("there is no such feed", core.web_tell, server, 1, "x")
  end)

  it("wait for descriptors, one or several, and for a time", function()
    open()
    local listener = assert(socket.bind("127.0.0.1", 0))
    peers[#peers + 1] = listener
    local silent, ready = listener:getfd(), ready_listener():getfd()
    assert.is_false(core.web_step(server, silent, 0))
    assert.is_true(core.web_step(server, ready, LIMIT))
    assert.is_true(core.web_step(server, { silent, ready }, LIMIT))
    assert.is_true(core.web_step(server, { -1, ready, -1, silent }, LIMIT))
    assert.is_false(core.web_step(server, { silent }, 0))
    assert.is_false(core.web_step(server, { silent, "x", ready }, 0)) -- to the first that is none
    assert.is_false(core.web_step(server, {}, 0))
    local many = {}
    for i = 1, 70 do many[i] = ready end
    assert.is_true(core.web_step(server, many, LIMIT))
    raises("no descriptor is left", core.web_step, server, 1000000, 0)
    raises("number expected", core.web_step, server, "x", 0)
    raises("number expected", core.web_step, server, -1)
  end)

  it("wait as long as they may, and not where they may not", function()
    open()
    local waited
    for _ = 1, 600 do
      local before = core.monotonic()
      assert.is_false(core.web_step(server, -1, 0.1))
      waited = core.monotonic() - before > 0.05
      if waited then break end
    end
    assert.is_true(waited)
    for _, seconds in ipairs { 0, -1, -math.huge } do core.web_step(server, -1, seconds) end
    local listener = ready_listener()
    for _, seconds in ipairs { 3600, 1e9, math.huge } do
      assert.is_true(core.web_step(server, listener:getfd(), seconds))
    end
  end)

  it("may wait for the first descriptor", function()
    local output, code = process.lua([[
      local core = require "chainlink.core"
      local server = assert(core.web_open("127.0.0.1", 0))
      print(core.web_step(server, 0, 60), core.web_step(server, { 0 }, 60))
      core.web_close(server)]], "echo x | ")
    assert.equal("true\ttrue\n", output)
    assert.equal(0, code)
  end)

  it("leave nothing open", function()
    assert.equal(0, open_files.left_by(function()
      for _ = 1, 3 do
        local one = assert(core.web_open("127.0.0.1", 0, { key = "key", secret = "secret", feeds = {} }))
        core.web_step(one, -1, 0)
        core.web_close(one)
      end
    end))
  end)
end)
