-- SPDX-License-Identifier: MIT
-- Usage: verify.lua URL DEPLOYMENT VERDICTS: do our two verifications, offline and through the node, come to the
-- contract's verdict and reason on every report? The files are those of deploy.mjs and verify.mjs.

package.path = "spec/onchain/?.lua;" .. package.path
local chainlink = require "chainlink"
local cjson = require "cjson"
local tap = require "tap"

local url, deployment_file, verdicts_file = arg[1], arg[2], arg[3]
local file = assert(io.open(deployment_file, "rb"))
local deployment = cjson.decode(file:read "*a")
file:close()
local addresses = deployment.addresses
local onchain = chainlink.onchain { rpc_url = url, verifier_proxy = addresses.proxy }

local registry = chainlink.signers {}
for _, set in ipairs(deployment.configurations) do
  if set.known then registry:add(set.digest, { signers = set.signers, f = set.f, active = set.active }) end
end

-- ---- each report ----

local rows = tap.rows(verdicts_file)
for _, row in ipairs(rows) do row.report, row.decode_error = chainlink.decode(row[2]) end

local function differs(reason, row)
  local expected = row[3]
  if reason ~= expected then return ("%s, the contract says %s"):format(tostring(reason), expected) end
end

local offline_names = { UnknownDigest = "VerifierNotFound" }

local function offline(row)
  if not row.report then return tostring(row.decode_error) end
  local ok, err = row.report:verify(registry)
  local problem = differs(ok and "ok" or offline_names[err.reason] or err.reason, row)
  if problem or ok then return problem end
  if err.kind ~= "VerificationError" then return "kind " .. err.kind end
end

local function through_node(row)
  if not row.report then return tostring(row.decode_error) end
  local ok, err = onchain:verify(row.report)
  local problem = differs(ok and "ok" or err.reason, row)
  if problem or ok then return problem end
  if err.kind ~= "VerificationError" then return "kind " .. err.kind end
  if err.config_digest and err.config_digest ~= row[4] then return "digest " .. err.config_digest end
  if row[3] == "IncorrectSignatureCount" and (tostring(err.got) ~= row[4] or tostring(err.expected) ~= row[5]) then
    return "count " .. err.message
  end
  if row[3] == "MismatchedSignatures" and (tostring(err.expected) ~= row[4] or tostring(err.got) ~= row[5]) then
    return "count " .. err.message
  end
end

local function with_blob(row)
  if row.report.report_blob ~= row[4] then return "another blob" end
end

local by_reason, order, valid, refused = {}, {}, {}, {}
for _, row in ipairs(rows) do
  if not by_reason[row[3]] then
    by_reason[row[3]] = {}
    order[#order + 1] = row[3]
  end
  table.insert(by_reason[row[3]], row)
  table.insert(row[3] == "ok" and valid or refused, row)
end
table.sort(order)

for _, reason in ipairs(order) do tap.each("offline: " .. reason, by_reason[reason], offline) end
for _, reason in ipairs(order) do tap.each("through the node: " .. reason, by_reason[reason], through_node) end
tap.each("the verified blob", valid, with_blob)
tap.ok(#rows >= 2000 and #valid >= 200, ("enough reports: %d, of which %d verify"):format(#rows, #valid))
for _, reason in ipairs { "BadVerification", "DigestInactive", "IncorrectSignatureCount", "MismatchedSignatures",
  "Panic", "VerifierNotFound" } do
  tap.ok(#(by_reason[reason] or {}) >= 30, "enough of " .. reason)
end

-- ---- several at once ----

local function reports_of(list, count)
  local reports = {}
  for i = 1, count do reports[i] = list[i].report end
  return reports
end

tap.ok(onchain:verify_bulk {} == true, "verify_bulk of nothing")
tap.ok(onchain:verify_bulk(reports_of(valid, 100)) == true, "verify_bulk of 100 valid reports")
local mixed = reports_of(valid, 5)
mixed[4] = refused[1].report
local ok, err = onchain:verify_bulk(mixed)
tap.ok(not ok and err.index == 4 and err.reason == refused[1][3], "verify_bulk names the report that is refused",
  { tostring(err) })

-- ---- signers ----

local function equal_sets(set, expected)
  return set.f == expected.f and set.active == expected.active
    and table.concat(set.signers, ",") == table.concat(expected.signers, ",")
end

local function check_signers(set)
  local found, why = onchain:signers(set[1])
  if not set.known then
    if found or why.reason ~= "VerifierNotFound" then return tostring(found or why) end
  elseif not found then return tostring(why)
  elseif not equal_sets(found, set) then return cjson.encode(found) end
end

local sets, by_chain = {}, chainlink.signers {}
for i, set in ipairs(deployment.configurations) do
  sets[i] = { set.digest, known = set.known, f = set.f, active = set.active, signers = set.signers }
end
tap.each("signers of each configuration", sets, check_signers)
local none, why = onchain:signers("0x" .. ("ab"):rep(32))
tap.ok(none == nil and why.reason == "VerifierNotFound", "signers of an unknown digest", { tostring(why) })
for _, set in ipairs(sets) do
  if set.known then by_chain:add(set[1], onchain:signers(set[1])) end
end
tap.each("offline, with signers from the chain", valid, function(row)
  local good, reason = row.report:verify(by_chain)
  return not good and tostring(reason) or nil
end)

-- ---- the command ----

local function command(arguments)
  local pipe = assert(io.popen(("timeout 60 chainlink-streams verify --rpc-url %s --verifier-proxy %s --format csv %s; "
    .. "echo $?"):format(url, addresses.proxy, arguments)))
  local output = pipe:read "*a"
  pipe:close()
  return output
end

local output = command(valid[1][2])
tap.ok(output:find ",true,\n0\n$" ~= nil, "chainlink-streams verify of a valid report")
output = command(valid[1][2] .. " " .. refused[1][2])
tap.ok(output:find(",true,\n.*,false," .. refused[1][3] .. "\n4\n$") ~= nil, "and of one that is refused")

local nowhere = chainlink.onchain { rpc_url = url, verifier_proxy = "0x" .. ("12"):rep(20) }
local missing, no_contract = nowhere:verify(valid[1].report)
tap.ok(missing == nil and no_contract.kind == "DecodeError" and no_contract.message:find "right network",
  "an address without a contract", { tostring(no_contract) })
nowhere:close()
onchain:close()
tap.finish()
