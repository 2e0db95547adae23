-- SPDX-License-Identifier: MIT
-- The live page of `serve`, in Chromium, and its events.
local await = require "spec.support.await"
local browser = require "spec.support.browser"
local cjson = require "cjson"
local host = require "spec.support.host"
local listener = require "spec.support.listener"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"
local socket = require "socket"

local folder, remove, sim, command, client, feeds

-- To the browser every Lua is the same: one is enough.
local has_browser = _VERSION == "Lua 5.4" and host.has_command "chromedriver"

setup(function()
  if has_browser then -- the server reads the chart library when it starts
    local output, status = project.run "scripts/uplot"
    assert(status == 0, output)
  end
  folder, remove = project.folder()
  local all = simulator.start { feeds = 3 }
  feeds = all:client():get_feeds()
  all:stop()
  local signers = folder .. "/signers"
  sim = simulator.start { feeds = 3, rate_limit = 0, signers_file = signers,
    key = ("simulator-key:simulator-secret:%s,%s"):format(feeds[1].id, feeds[2].id) }
  client = sim:client()
  command = listener.start(sim:exports(), ("serve %s %s %s NOPE/USD --listen 127.0.0.1:0 --signers %s"):format(
    feeds[1].name, feeds[2].name, feeds[3].id, signers), folder .. "/out")
end)
teardown(function()
  if command then command:stop() end
  client:close()
  sim:stop()
  remove()
end)

describe("the events of serve", function()
  -- Opens /events and reads until has(reports, others) is true. -> array of {id=, report=}, array of {event, data}
  local function read(resume, has)
    local peer = assert(socket.connect("127.0.0.1", command:port()))
    peer:settimeout(60)
    peer:send(("GET /events HTTP/1.1\r\n%s\r\n"):format(resume and "Last-Event-ID: " .. resume .. "\r\n" or ""))
    local reports, others, id, event = {}, {}, nil, nil
    while not has(reports, others) do
      local line = assert(peer:receive "*l")
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

local define = has_browser and describe or pending

define("the live page", function()
  local page, forward, forward_pid, forward_port

  setup(function()
    if not io.open "spec/hosts/node_modules/axe-core/axe.min.js" then
      local output, status = project.run "cd spec/hosts && timeout 200 npm ci --no-audit --no-fund"
      assert(status == 0, output)
    end
    forward = io.popen(("echo $$; exec node spec/hosts/forward.mjs %d"):format(command:port()))
    forward_pid, forward_port = forward:read("*l", "*l")
    page = browser.start(folder)
    page:open(("http://127.0.0.1:%s/"):format(forward_port))
  end)
  teardown(function()
    page:stop()
    os.execute("kill " .. forward_pid)
    forward:close()
  end)

  local function text_of(selector)
    local script = "const it = document.querySelector(%s); return it && it.textContent"
    return page:run(script:format(cjson.encode(selector)))
  end

  local function becomes(selector, words)
    return await(words .. " in " .. selector, function()
      local text = text_of(selector)
      return type(text) == "string" and text:find(words, 1, true)
    end)
  end

  local function card(feed) return ('article[data-feed="%s"]'):format(feed.id or feed) end

  it("shows the prices that the service has", function()
    becomes("#connection", "connected to the service")
    for _, feed in ipairs { feeds[1], feeds[2] } do
      local shown = await("a price of " .. feed.name, function()
        local found = page:run(("const it = document.querySelector('%s'); return it && it.dataset.observed && ["
          .. "it.dataset.observed, it.querySelector('.price').dataset.price, it.querySelector('h2').textContent]"
          ):format(card(feed)))
        return type(found) == "table" and found
      end)
      local report = assert(client:get_report(feed.id, tonumber(shown[1]) / 1000))
      assert.are.equal(("%.10g"):format(report.price), ("%.10g"):format(tonumber(shown[2])))
      assert.are.equal(feed.name .. "v" .. report.version, shown[3])
      assert.are.equal("verified", text_of(card(feed) .. " .verified"))
      await("a chart", function()
        return page:run(("return document.querySelector('%s canvas') !== null"):format(card(feed)))
      end)
    end
  end)

  it("says in words what is wrong with a name and a feed without permission", function()
    becomes(card "NOPE/USD" .. " .problem", "no feed is named 'NOPE/USD'")
    becomes(card(feeds[3]) .. " .problem", "permi")
  end)

  it("has nothing on the console, and no fault of accessibility", function()
    assert.are.same({}, page:console())
    for _, scheme in ipairs { "light", "dark" } do
      for _, width in ipairs { 390, 1200 } do
        page:look(width, 850, scheme)
        page:run(project.read "spec/hosts/node_modules/axe-core/axe.min.js" .. "\n")
        local faults = page:run("return axe.run().then(found => JSON.stringify(found.violations.map(v => "
          .. "[v.impact, v.id, v.nodes.map(n => n.html)])))")
        assert.are.equal("[]", faults)
        assert.is_true(page:run "return document.documentElement.scrollWidth <= innerWidth", "wider than the window")
      end
    end
  end)

  it("tells of a broken connection, and misses nothing by it, without a reload", function()
    page:run(("window.seen = []; window.same = true; new MutationObserver((list) => list.forEach((m) => seen.push("
      .. "m.oldValue))).observe(document.querySelector('%s'), { attributes: true, attributeFilter: ['data-observed'], "
      .. "attributeOldValue: true })"):format(card(feeds[1])))
    os.execute("kill -HUP " .. forward_pid)
    becomes("#connection", "does not answer; trying again")
    local _, before = command:get "/healthz"
    assert.are.equal(200, before)
    socket.select(nil, nil, 3) -- that long the service's reports pass the page by
    os.execute("kill -USR2 " .. forward_pid)
    becomes("#connection", "connected to the service")
    local seen = await("reports", function()
      local list = page:run "return window.seen"
      return #list >= 8 and list
    end)
    for i = 2, #seen do assert.are.equal(1000, tonumber(seen[i]) - tonumber(seen[i - 1])) end
    assert.is_true(page:run "return window.same")
  end)

  it("tells of a service that does not answer, and when it does again", function()
    sim:control("POST", "/control/down?what=all")
    becomes("#connection", "not connected to the service")
    becomes("#reasons", "no connection to the service is up: ")
    sim:control("POST", "/control/up?what=all")
    await("the service", function() return text_of "#connection" == "connected to the service" end)
    assert.is_true(page:run "return window.same")
  end)

  it("is served where the service is dead from the start", function()
    sim:control("POST", "/control/down?what=all")
    local arguments = ("serve %s --listen 127.0.0.1:0"):format(feeds[1].name)
    local other = listener.start(sim:exports(), arguments, folder .. "/other")
    finally(function() other:stop() end)
    page:open("http://" .. other.address .. "/")
    becomes("#connection", "not connected to the service")
    becomes("#reasons", "GET /api/v1/feeds")
    sim:control("POST", "/control/up?what=all")
    becomes(card(feeds[1]) .. " h2", feeds[1].name)
    await("the service", function() return text_of "#connection" == "connected to the service" end)
  end)
end)
