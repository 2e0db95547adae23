-- SPDX-License-Identifier: MIT
-- Names on the command line, where the list or the catalogue is such as no service of ours has: many feeds to a name,
-- feeds that are gone, odd letters.

local names = require "chainlink.cli.names"
local options = require "chainlink.cli.options"

local unpack = table.unpack or unpack -- luacheck: ignore 113 143

local function id(number) return ("0x0003%060x"):format(number) end

-- A client of this list and this catalogue (nil: an error of this kind), and how often each was asked for.
local function client_of(list, catalogue, err, catalogue_err)
  local asked = { list = 0, catalogue = 0 }
  local client = {}
  function client.get_feeds()
    asked.list = asked.list + 1
    return list, err
  end
  function client.discover(_, filters)
    asked.catalogue, asked.filters = asked.catalogue + 1, filters
    return catalogue, catalogue_err or err
  end
  return client, asked
end

local function refusal(client, ...)
  local ok, err = pcall(names.feeds, client, { ... })
  assert.is_false(ok)
  assert.is_true(options.is_usage_error(err), tostring(err))
  return tostring(err)
end

-- So many live feeds of one pair.
local function pair(count)
  local feeds = {}
  for i = 1, count do
    feeds[i] = { id = id(i), name = "n" .. i, base_asset = "X", quote_asset = "Y", status = "live" }
  end
  return feeds
end

describe("names", function()
  it("are listed, up to twenty, where more than one feed fits", function()
    for count, more in pairs { [2] = "", [20] = "", [21] = "\n  and 1 more", [25] = "\n  and 5 more" } do
      local lines = { "more than one feed, or none that is live, fits 'x/y': give an id" }
      for i = 1, math.min(count, 20) do lines[#lines + 1] = ("  %s  v3  n%d  live"):format(id(i), i) end
      assert.equal(table.concat(lines, "\n") .. more, refusal(client_of({}, pair(count)), "x/y"))
    end
  end)

  it("are told with what the catalogue has of them", function()
    local feeds = { { id = id(1), name = "A%s", schema_version = 12 }, { id = id(2), name = "a%S" } }
    assert.equal(("more than one feed, or none that is live, fits 'a%%s': give an id\n  %s  v12  A%%s  \n"
      .. "  %s  v3  a%%S  "):format(id(1), id(2)), refusal(client_of({}, feeds), "a%s"))
    feeds = pair(2)
    feeds[1].name, feeds[2].status = nil, "LIVE"
    assert.matches("v3    live\n.*v3  n2  LIVE$", refusal(client_of({}, feeds), "X/Y"))
  end)

  it("are those of a feed that is live", function()
    local now = os.time()
    local gone, testing, going, untold = unpack(pair(4))
    gone.decommissioned_at, testing.status, going.decommissioned_at, untold.status = now - 1, "testing", now + 900, nil
    assert.same({ going.id }, (names.feeds(client_of({}, { gone, testing, going }), { "x/y" })))
    assert.same({ untold.id }, (names.feeds(client_of({}, { gone, untold }), { "x/y" })))
    assert.matches(testing.id, refusal(client_of({}, { gone, testing }), "x/y"))
    assert.same({ gone.id }, (names.feeds(client_of({}, { gone }), { "N1" }))) -- by its very name
    assert.matches("v3  n1  live$", refusal(client_of({}, { gone }), "x/y"))
    gone.decommissioned_at = now
    assert.same({ untold.id }, (names.feeds(client_of({}, { gone, untold }), { "x/y" })))
  end)

  it("are the list's before the catalogue's, and one feed's there", function()
    local client, asked = client_of({ { id = id(1), name = "X/Y" }, { id = id(2) } }, pair(1))
    local ids, known = names.feeds(client, { "x/Y", (id(9):upper():gsub("^0X", "0x")) })
    assert.same({ id(1), id(9) }, ids)
    assert.same({ [id(1)] = "X/Y" }, known)
    assert.same({ list = 1, catalogue = 0 }, asked)
    local twice = { { id = id(1), name = "A" }, { id = id(2), name = "a" } }
    assert.equal("more than one feed is named 'A': give the id", refusal(client_of(twice, {}), "A"))
  end)

  it("are of both assets, and only where no feed has the very name", function()
    local feeds = pair(1)
    feeds[2] = { id = id(8), name = "n8", base_asset = "X", quote_asset = "Z", status = "live" }
    feeds[3] = { id = id(9), name = "n9", base_asset = "W", quote_asset = "Y", status = "live" }
    local ids, known = names.feeds(client_of({}, feeds), { "X/y" })
    assert.same({ { id(1) }, { [id(1)] = "n1" } }, { ids, known })
    feeds[4] = { id = id(4), name = "x/y", status = "live" }
    feeds[5] = { id = id(5), name = "X/Y", status = "live" }
    local _, listed = refusal(client_of({}, feeds), "x/y"):gsub("\n  0x", "")
    assert.equal(2, listed)
    local unknown = "no feed is named '%s'%s`chainlink-streams feeds` lists those that your key may read"
    assert.equal(unknown:format("x/q", ": did you mean X/Y or x/y? "), refusal(client_of({}, feeds), "x/q"))
    assert.equal(unknown:format("%s", "; "), refusal(client_of({}, feeds), "%s"))
  end)

  it("that are mistyped are told with what is near, in the list or the catalogue, made harmless", function()
    local list = { { id = id(1), name = "ETH/USD" }, { id = id(2), name = 7 }, { id = id(3) } }
    local function near(name, catalogue)
      return refusal(client_of(list, catalogue), name):match "': did you mean (.-)%? `chainlink%-streams feeds` lists"
    end
    assert.equal("ETH/USD", near("eth/uds", { { id = id(1), name = "ETH/USD" } }))
    assert.equal("BTC/USD", near("btcusd", { { id = id(4), name = "BTC/USD" } }))
    assert.equal("S?L/USD", near("SOL/USD", { { id = id(4), name = "S\27L/USD" } }))
    assert.is_nil(near("nothing", {}))
    assert.is_nil(near("BTC/USD", {})) -- ETH/USD is something else
  end)

  it("are written beside ids, as far as the list has them", function()
    local list = { { id = id(1), name = "A" }, { id = id(2) }, { id = id(3), name = 7 } }
    local ids, known = names.feeds(client_of(list, {}), { id(2), id(1) }, "json")
    assert.same({ { id(2), id(1) }, { [id(1)] = "A" } }, { ids, known })
  end)

  it("ask once for a catalogue, with hidden feeds", function()
    local client, asked = client_of({}, pair(3))
    assert.same({ id(3), id(1) }, (names.feeds(client, { "n3", "n1" })))
    assert.same({ list = 1, catalogue = 1, filters = { hidden = true } }, asked)
  end)

  it("need no list where all are ids and none is written", function()
    local client, asked = client_of(nil, nil, { kind = "AuthenticationError", retryable = false })
    assert.same({ id(7) }, (names.feeds(client, { id(7) }, "table")))
    assert.same({ list = 0, catalogue = 0 }, asked)
    assert.same({ id(7) }, (names.feeds(client, { id(7) }, "json")))
    assert.same({ list = 1, catalogue = 0 }, asked)
    assert.equal("a feed is missing: give its id or name", refusal(client))
  end)

  it("are not taken for unknown after a failure", function()
    for _, retryable in ipairs { true, false } do
      local failure = { kind = "APIError", retryable = retryable }
      local client, asked = client_of(nil, nil, failure)
      local ok, err = pcall(names.feeds, client, { "n1" })
      assert.is_false(ok)
      assert.equal(failure, err)
      assert.equal(retryable and 0 or 1, asked.catalogue)
    end
    local first, second = { kind = "AuthenticationError" }, { kind = "APIError", retryable = true }
    local _, err = pcall(names.feeds, client_of(nil, nil, first, second), { "n1" })
    assert.equal(first, err) -- the list's own
    _, err = pcall(names.feeds, client_of({}, nil, nil, second), { "n1" })
    assert.equal(second, err)
    assert.matches("^no feed is named 'n1'", refusal(client_of({}, nil, nil, { kind = "APIError" }), "n1"))
  end)
end)

describe("a search", function()
  it("asks for assets and classes, and finds a text in id, name and asset", function()
    local feeds = pair(3)
    feeds[1].asset_name, feeds[2].name = "Gold", nil
    local client, asked = client_of({}, feeds)
    assert.equal(3, #names.search(client, "a,,b", "c"))
    assert.same({ base_asset = { "a", "b" }, asset_class = { "c" }, hidden = true }, asked.filters)
    for wanted, expected in pairs { gold = { 1 }, N3 = { 3 }, ["0x0003"] = { 1, 2, 3 }, [".*"] = {} } do
      local found = {}
      for i, feed in ipairs(names.search(client, nil, nil, wanted)) do
        found[i] = tonumber(feed.id:sub(-2), 16)
        assert.same({ 3, "s" }, { feed.version, feed.resolution })
      end
      assert.same(expected, found)
    end
    assert.same({ hidden = true }, asked.filters)
    local ok, err = pcall(names.search, client, ",,")
    assert.is_false(ok)
    assert.equal("',,' is no list", tostring(err))
    local failure = { kind = "APIError" }
    assert.same({ nil, failure }, { names.search((client_of({}, nil, failure))) })
  end)
end)
