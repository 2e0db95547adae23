-- SPDX-License-Identifier: MIT
-- The live page of `serve`, in Chromium.
local host = require "spec.support.host"
local listener = require "spec.support.listener"
local live_page = require "spec.support.live_page"
local serving = require "spec.support.serving"

local card = live_page.card

-- To the browser every Lua is the same: one is enough.
local has_browser = _VERSION == "Lua 5.4" and host.has_command "chromedriver"

local define = has_browser and describe or pending

define("the live page", function()
  local folder, sim, command, client, feeds, serves
  local page

  setup(function()
    live_page.prepare()
    serves = serving.start()
    folder, sim, command, client, feeds = serves.folder, serves.sim, serves.command, serves.client, serves.feeds
    page = live_page.open(folder, command:port())
  end)
  teardown(function()
    page:stop()
    serves:stop()
  end)

  it("shows the prices that the service has", function()
    page:becomes_well { feeds[3].id, "NOPE/USD" }
    for _, feed in ipairs { feeds[1], feeds[2] } do
      page:assert_price(client, feed)
      assert.are.equal("verified", page:text_of(card(feed) .. " .verified"))
    end
  end)

  it("says in words what is wrong with a name and a feed without permission", function()
    page:becomes(card "NOPE/USD" .. " .problem", "no feed is named 'NOPE/USD'")
    page:becomes(card(feeds[3]) .. " .problem", "permi")
  end)

  it("has nothing on the console, and no fault of accessibility", function() page:assert_sound() end)

  it("tells of a broken connection, and misses nothing by it, without a reload", function()
    page:assert_mends(feeds[1], { feeds[3].id, "NOPE/USD" })
    assert.are.equal(200, (select(2, command:get "/healthz")))
  end)

  it("tells of a service that does not answer, and when it does again", function()
    page:assert_tells_of_outage(sim, { feeds[3].id, "NOPE/USD" })
  end)

  it("is served where the service is dead from the start", function()
    sim:control("POST", "/control/down?what=all")
    local arguments = ("serve %s --listen 127.0.0.1:0"):format(feeds[1].name)
    local other = listener.start(sim:exports(), arguments, folder .. "/other")
    finally(function() other:stop() end)
    page:go("http://" .. other.address .. "/")
    page:becomes("#connection", "not connected to the service")
    page:becomes("#reasons", "GET /api/v1/feeds")
    sim:control("POST", "/control/up?what=all")
    page:becomes(card(feeds[1]) .. " h2", feeds[1].name)
    page:becomes_well()
  end)
end)
