-- SPDX-License-Identifier: MIT
-- What the credentials may do: the list of feeds, each feed, its newest report and who signed it.

local chainlink = require "chainlink"
local core = require "chainlink.core"
local naming = require "chainlink.naming"

local account = {}

local OLD_SECONDS = 60

-- ---- the credentials ----

local function tell_refusal(findings, err, clock_ahead)
  if math.abs(clock_ahead) > 5 then
    findings:fail("credentials", err.message, "set the clock first: a signature of the wrong time is refused too", err)
  else
    findings:fail("credentials", err.message, "check that key and secret belong together, and to this network "
      .. "(mainnet or testnet), and were copied whole", err)
  end
end

--- The finding about the credentials, which `from` (words) gave. -> the feeds that they may read, or nil
function account.credentials(findings, client, from, clock_ahead)
  local feeds, err = client:get_feeds()
  if feeds then
    findings:ok("credentials", ("those of %s are accepted: %d feeds may be read"):format(from, #feeds))
    return feeds
  end
  if err.kind == "AuthenticationError" then tell_refusal(findings, err, clock_ahead)
  else findings:fail("credentials", "the list of feeds is not to be had: " .. tostring(err),
    "try again in a while; if it stays so, the service's status page may tell more", err) end
end

-- ---- feeds ----

local function listed(feeds, wanted)
  for _, feed in ipairs(feeds) do
    if feed.id == wanted:lower() or (feed.name or ""):lower() == wanted:lower() then return feed end
  end
end

-- A feed that the list has not, by its id, or by the catalogue's names. -> feed | nil, words, advice
local function look_up(client, wanted)
  if wanted:find "^0[xX]" then
    local id, version, resolution = core.feed_id(wanted)
    return id and { id = id, version = version, resolution = resolution }, "it is no feed id: 0x and 64 hex digits",
      "`chainlink-streams feeds` lists those that the key may read"
  end
  local refusal
  local ok, ids = pcall(naming.feeds, client, { wanted }, true, function(...)
    refusal = (...):format(select(2, ...))
    error(refusal, 0)
  end)
  if not ok then return nil, refusal or tostring(ids) end
  return { id = ids[1], name = wanted, version = chainlink.feed_version(ids[1]),
    resolution = chainlink.feed_resolution(ids[1]) }
end

local function called(feed) return feed.name and feed.name .. " " .. feed.id or feed.id end

local function tell_schema(findings, feed)
  local schema = chainlink.schemas[feed.version]
  if schema then
    findings:ok("feed", ("%s may be read, its schema is v%d (%s)"):format(called(feed), feed.version, schema.name))
  else
    findings:warn("feed", ("%s may be read, its schema v%d is not known here"):format(called(feed), feed.version),
      "use a later release")
  end
end

local function age_of(report, clock_ahead)
  local observed = report.observations_timestamp_ms and report.observations_timestamp_ms / 1000
    or report.observations_timestamp
  return core.time() - clock_ahead - observed
end

account.age_of = age_of

local function tell_age(findings, feed, report, clock_ahead)
  local age, status = age_of(report, clock_ahead), report:market_status_name()
  local words = ("the newest of %s is %.1f s old%s"):format(feed.name or feed.id, age,
    status and ", its market is " .. status or "")
  findings:judge("report", words, age > OLD_SECONDS
    and "no newer one was made: a closed market has none, an open one has every second" or nil)
end

local function tell_signatures(findings, feed, report, signers)
  local ok, err = report:verify(signers)
  if ok then findings:ok("signatures", ("%s: %d signatures, all of known signers"):format(feed.name or feed.id,
    #report.signatures))
  else findings:fail("signatures", (feed.name or feed.id) .. ": " .. err.message,
    "do the signers belong to this network and to the report's config digest " .. report.config_digest .. "?") end
end

-- The newest report, or a finding that says why there is none.
local function latest(findings, client, feed, is_listed)
  local report, err = client:get_latest_report(feed.id)
  if report then return report end
  if err.kind == "AuthenticationError" then
    findings:fail("feed", ("%s is refused (%d)"):format(called(feed), err.status),
      "the feed does not exist, or the key may not read it: ask for it, or take one of `chainlink-streams feeds`", err)
  elseif not is_listed and err.status then
    findings:fail("feed", ("%s is not in the list of feeds, and has no report: %s"):format(called(feed), err.message),
      "check the id against `chainlink-streams feeds`", err)
  else
    tell_schema(findings, feed)
    findings:fail("report", ("%s has none: %s"):format(feed.name or feed.id, err.message),
      "try again in a while; a feed that is gone or not live yet has no reports", err)
  end
end

--- The findings about the feed of that id or name. -> it, where it may be read
function account.feed(findings, client, wanted, context)
  local known = listed(context.feeds, wanted)
  local feed, why, advice = known, nil, nil
  if not feed then feed, why, advice = look_up(client, wanted) end
  if not feed then return findings:fail("feed", wanted .. ": " .. why, advice) end
  local report = latest(findings, client, feed, known ~= nil)
  if not report then return nil end
  tell_schema(findings, feed)
  tell_age(findings, feed, report, context.clock_ahead)
  if context.signers then tell_signatures(findings, feed, report, context.signers) end
  return feed
end

return account
