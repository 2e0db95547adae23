-- SPDX-License-Identifier: MIT
-- The command verify: are full reports signed by whom they should be? By a file of signers, or by a chain's contract.

local chainlink = require "chainlink"
local format = require "chainlink.cli.format"
local input = require "chainlink.cli.input"
local options = require "chainlink.cli.options"
local output = require "chainlink.cli.output"
local session = require "chainlink.cli.session"
local text = require "chainlink.text"

local function by_file(path)
  local registry = session.check(chainlink.signers.from_file(path))
  return function(report) return report:verify(registry) end
end

local function by_chain(values)
  local onchain = chainlink.onchain {
    rpc_url = values["rpc-url"], network = values.network, verifier_proxy = values["verifier-proxy"],
    tls = values["ca-file"] and { ca_file = values["ca-file"] } or nil,
  }
  return function(report)
    local ok, err = onchain:verify(report)
    if not ok and err.kind ~= "VerificationError" then error(err, 0) end
    return ok, err
  end
end

local function choose(values)
  local asks_chain = values.network or values["verifier-proxy"] or values["ca-file"]
  if values.signers and (values["rpc-url"] or asks_chain) then
    options.usage_error "give either --signers or --rpc-url, not both"
  end
  if values.signers then return by_file(values.signers) end
  if not values["rpc-url"] then options.usage_error "whose word counts? Give --signers FILE, or --rpc-url URL" end
  if (values.network ~= nil) == (values["verifier-proxy"] ~= nil) then
    options.usage_error "--rpc-url needs either --network NAME or --verifier-proxy ADDRESS"
  end
  return by_chain(values)
end

local columns = { "feed_id", "observations_timestamp", "config_digest", "verified", "reason" }

local function row_of(report, ok, err)
  return { feed_id = report.feed_id, observations_timestamp = report.observations_timestamp,
    config_digest = report.config_digest, verified = ok == true, reason = not ok and err.reason or nil }
end

local function json_line(row)
  local members = {}
  for _, name in ipairs(columns) do
    local value = row[name]
    if value ~= nil then
      local json = type(value) == "string" and text.json_string(value)
        or type(value) == "number" and ("%.0f"):format(value) or tostring(value)
      members[#members + 1] = ('"%s":%s'):format(name, json)
    end
  end
  return "{" .. table.concat(members, ",") .. "}"
end

local function csv_line(row)
  local cells = {}
  for i, name in ipairs(columns) do cells[i] = row[name] end
  return format.csv_line(cells, #columns)
end

local function plain_line(row, report, err)
  if row.verified then return output.green "verified" .. "  " .. tostring(report) end
  local words = err.message
  if not words:find(err.reason, 1, true) then words = err.reason .. ": " .. words end
  return output.red "REFUSED" .. "   " .. tostring(report) .. "\n          " .. text.plain(words)
end

local function write(kind, report, ok, err)
  local row = row_of(report, ok, err)
  if kind == "json" then output.print(json_line(row))
  elseif kind == "csv" then output.print(csv_line(row))
  else output.print(plain_line(row, report, err)) end
end

return {
  summary = "check the signatures of full reports",
  usage = "verify HEX|FILE...   or   verify < FILE   with --signers or --rpc-url",
  notes = "FILE: lines of hex, or JSON of this program or of the service\n"
    .. "exit code 0: all are verified, 4: one is not, 1: something is no full report, or the question failed",
  options = {
    { name = "signers", value = "FILE",
      help = 'JSON: {"0x<config digest>": {"signers": [...], "f": 1}}, or what the simulator tells of its oracles' },
    { name = "rpc-url", value = "URL", help = "ask a chain's VerifierProxy through this Ethereum node" },
    { name = "network", value = "NAME", help = "the proxy of this network: arbitrum, base-sepolia, ..." },
    { name = "verifier-proxy", value = "ADDRESS", help = "the proxy's address" },
    { name = "ca-file", value = "FILE", help = "certificate authority of the node" },
  },
  run = function(_, values, rest)
    local verify = choose(values)
    if values.format == "csv" then output.print(format.csv_line(columns)) end
    local refused = 0
    local _, faults = input.each(rest, function(hex)
      local report, err = chainlink.decode(hex)
      if not report then return nil, err end
      local ok, why = verify(report)
      if not ok then refused = refused + 1 end
      write(values.format, report, ok, why)
      return true
    end)
    return refused > 0 and 4 or faults > 0 and 1 or 0
  end,
}
