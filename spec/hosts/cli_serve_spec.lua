-- SPDX-License-Identifier: MIT
-- What `serve` sends: the events of its feeds, and its other paths.
local cjson = require "cjson"
local project = require "spec.support.project"
local serving = require "spec.support.serving"
local simulator = require "spec.support.simulator"
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
      assert.truthy(line == "" or line:find "^:" or line:find "^id: %x+%-%d+$" or line:find "^%l+: %S", line)
      if line == "" then id, event = nil, nil end
      id, event = line:match "^id: (.*)$" or id, line:match "^event: (%l+)$" or event
      local data = line:match "^data: (.*)$"
      local told = data and cjson.decode(data)
      if told and event == "report" then reports[#reports + 1] = { id = assert(id), report = told }
      elseif told and event == "clock" then assert.is_true(math.abs(told.now / 1000 - os.time()) < 60)
      elseif told then
        assert.is_nil(id)
        others[#others + 1] = { event, told }
      end
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
      for _, item in ipairs((read(seen[#seen].id, so_many(3)))) do seen[#seen + 1] = item end
    end
    local whole, by_id = read(seen[1].id, so_many(#seen - 1)), {}
    for i, item in ipairs(whole) do
      assert.are.equal(seen[i + 1].id, item.id)
      assert.are.same(seen[i + 1].report, item.report)
      assert.is_nil(by_id[item.id])
      by_id[item.id] = true
    end
  end)

  it("are reports as everybody writes them", function()
    local told = read(nil, so_many(1))[1].report
    local report = assert(serves.client:get_report(told.feed_id, told.observations_timestamp))
    local expected = report:to_table()
    expected.received_at, expected.origin = told.received_at, told.origin
    assert.are.same(expected, told)
  end)

  it("tell the feeds and the state to everybody who comes", function()
    for _, resume in ipairs { "0", "99999999999999999999999", "no number" } do
      local _, others = read(resume, so_many(1))
      assert.are.equal(5, #others)
      local problems, status = {}, nil
      for _, other in ipairs(others) do
        if other[1] == "feed" then problems[other[2].name] = other[2].problem or "none"
        else status = assert(other[1] == "state" and other[2].status) end
      end
      assert.are.equal("degraded", status) -- by the feeds with a problem
      assert.matches("no feed is named", problems["NOPE/USD"])
      assert.are.equal("none", problems[serves.feeds[1].name])
    end
  end)

  it("say that some were missed, where they are not kept any more", function()
    local ahead = read(nil, so_many(1))[1].id:gsub("%d+$", "99999999")
    for resume, reason in pairs { ["0-1"] = "another one now", [ahead] = "away for longer" } do
      local _, others = read(resume, so_many(1))
      assert.are.equal("lost", others[6][1])
      assert.matches(reason, others[6][2].reason)
    end
  end)

  it("are those of the demo where there is no nginx, which ends with all that it started", function()
    assert.matches("<title>.*\nended with 143\nnobody answers\n$", serving.demo(serves.folder, "web"))
  end)

  it("are there while other paths are asked for", function()
    local body, status, head = command:get "/"
    assert.are.equal(200, status)
    assert.matches("<title>Chainlink Data Streams", body)
    assert.matches("Content%-Security%-Policy: default%-src 'none'; script%-src 'self';", head)
    assert.are.same({ status = "degraded", reasons = { "refused or unknown, so not streamed: "
      .. serves.feeds[3].id .. ", NOPE/USD" } }, cjson.decode((command:get "/healthz")))
    assert.matches("chainlink_stream_connections_active 1\n", (command:get "/metrics"))
    assert.are.equal(404, (select(2, command:get "/page/../serve.lua")))
  end)
end)

describe("serve at its start", function()
  local sim, id
  setup(function()
    sim = simulator.start { feeds = 2 }
    id = sim:client():get_feeds()[1].id
  end)
  teardown(function() sim:stop() end)

  -- -> output, exit code; nothing ends it but itself
  local function run(feeds, secret)
    return project.run(("timeout 60 env %s CHAINLINK_STREAMS_API_SECRET=%s chainlink-streams serve %s --listen "
      .. "127.0.0.1:0"):format(sim:exports(), secret, feeds))
  end

  for _, feeds in ipairs { "ETH/USD", "ID", "NOPE/USD" } do
    it("ends where the credentials are refused, asked for " .. feeds, function()
      local output, status = run(feeds:gsub("ID", id), "not-the-secret")
      assert.are.equal(3, status, output)
      assert.matches("AuthenticationError: .*the key, the secret or the feed is refused", output)
      assert.is_nil(output:find("not-the-secret", 1, true))
    end)
  end
end)
