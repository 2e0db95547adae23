-- SPDX-License-Identifier: MIT
-- What `serve` sends: the events of its feeds, and its other paths.
local cjson = require "cjson"
local serving = require "spec.support.serving"
local socket = require "socket"

describe("the events of serve", function()
  local serves, command
  setup(function()
    serves = serving.start()
    command = serves.command
  end)
  teardown(function() serves:stop() end)

  -- Opens /events and reads until has(reports, others) is true. -> array of {id=, report=}, array of {event, data}
  local function read(resume, has)
    local peer = assert(socket.connect("127.0.0.1", command:port()))
    peer:settimeout(60)
    peer:send(("GET /events HTTP/1.1\r\n%s\r\n"):format(resume and "Last-Event-ID: " .. resume .. "\r\n" or ""))
    local reports, others, id, event = {}, {}, nil, nil
    while assert(peer:receive "*l") ~= "" do end -- the head
    while not has(reports, others) do
      local line = assert(peer:receive "*l")
      assert.truthy(line == "" or line:find "^:" or line:find "^id: %d+$" or line:find "^%l+: %S", line)
      id, event = line:match "^id: (%d+)$" or id, line:match "^event: (%l+)$" or event
      local data = line:match "^data: (.*)$"
      local told = data and cjson.decode(data)
      if told and event == "report" then reports[#reports + 1] = { id = tonumber(id), report = told }
      elseif told then others[#others + 1] = { event, told } end
    end
    peer:close()
    return reports, others
  end

  local function so_many(count)
    return function(reports) return #reports >= count end
  end

  it("go on where a reader left them, without a report too few or twice", function()
    local seen = read(nil, so_many(4))
    for _ = 1, 3 do
      for _, item in ipairs((read(("%d"):format(seen[#seen].id), so_many(3)))) do seen[#seen + 1] = item end
    end
    local whole, by_id = read(("%d"):format(seen[1].id), so_many(#seen - 1)), {}
    for i, item in ipairs(whole) do
      assert.are.equal(seen[i + 1].id, item.id)
      assert.are.same(seen[i + 1].report, item.report)
      assert.is_nil(by_id[item.id])
      by_id[item.id] = true
    end
  end)

  it("tell the state to everybody who comes", function()
    for _, resume in ipairs { "0", "99999999999999999999999", "no number" } do
      local _, others = read(resume, function(_, others) return #others > 0 and others[#others][1] == "state" end)
      assert.are.equal("up", others[#others][2].status)
      assert.are.equal(4, #others[#others][2].feeds)
    end
  end)

  it("say that some were missed, where they are not kept any more", function()
    local _, others = read("1", so_many(1))
    assert.are.equal("lost", others[1][1])
    assert.matches("away for longer", others[1][2].reason)
  end)

  it("are there while other paths are asked for", function()
    local body, status, head = command:get "/"
    assert.are.equal(200, status)
    assert.matches("<title>Chainlink Data Streams", body)
    assert.matches("Content%-Security%-Policy: default%-src 'none'; script%-src 'self';", head)
    assert.are.equal("up", cjson.decode((command:get "/healthz")).status)
    assert.matches("chainlink_stream_connections_active 1\n", (command:get "/metrics"))
    assert.are.equal(404, (select(2, command:get "/page/../serve.lua")))
  end)
end)
