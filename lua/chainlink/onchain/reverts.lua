-- SPDX-License-Identifier: MIT
-- Why a contract reverted: its custom errors by selector, with the contract's own names. All but one are about the
-- report and VerificationErrors.

local abi = require "chainlink.onchain.abi"
local errors = require "chainlink.errors"

local reverts = {}

-- The errors of Verifier and VerifierProxy 2.0.0 and 2.0.1, then those of FeeManager 2.1.0, by selector. args: our
-- names for the arguments, a digest or numbers.
local known = {
  b151802b = { "VerifierNotFound", "the proxy has no verifier for the config digest", args = { "config_digest" } },
  d990d621 = { "DigestInactive", "the configuration was deactivated", args = { "config_digest" } },
  ["5348a282"] = { "IncorrectSignatureCount", "there are not exactly f + 1 signatures", args = { "got", "expected" } },
  f0d31408 = { "MismatchedSignatures", "there are not as many s as r", args = { "got", "expected" } },
  ["4df18f07"] = { "BadVerification", "a signature is of nobody in the set, or a signer signed twice" },
  ef67f5d8 = { "AccessForbidden", "the proxy's access controller refuses the caller, which the option 'from' names",
    kind = "AuthenticationError" },
  ["4e487b71"] = { "Panic", "the contract's arithmetic failed", args = { "code" } },
  ["05e8ac29"] = { "InvalidSurcharge", "the fee manager refuses" },
  ["997ea360"] = { "InvalidDiscount", "the fee manager refuses" },
  e6c4247b = { "InvalidAddress", "the fee manager refuses" },
  b2e532de = { "InvalidDeposit", "the fee manager wants a deposit" },
  b6c405f5 = { "ExpiredReport", "the report is too old for the fee manager" },
  f8618030 = { "InvalidQuote", "the fee manager cannot read the quote" },
  ["82b42900"] = { "Unauthorized", "the fee manager refuses the caller" },
  ["03aad312"] = { "ZeroDeficit", "the fee manager refuses" },
  ef2af201 = { "InvalidReceivingAddress", "the fee manager refuses" },
}

-- MismatchedSignatures has the number of r first: expected.
local swapped = { MismatchedSignatures = true }

local function read_arguments(row, data, fields)
  local names = row.args or {}
  if #data ~= 8 + 64 * #names then return false end
  for i, name in ipairs(names) do
    local word = data:sub(9):sub(64 * i - 63, 64 * i)
    fields[name] = name == "config_digest" and "0x" .. word or abi.number(word)
    if fields[name] == nil then return false end
  end
  if swapped[row[1]] then fields.got, fields.expected = fields.expected, fields.got end
  return true
end

local function numbers_text(fields)
  if fields.config_digest then return ": " .. fields.config_digest end
  if fields.got then return (": got %d, expected %d"):format(fields.got, fields.expected) end
  return ""
end

-- The text of Error(string), where it is one.
local function error_text(data)
  if data:sub(1, 8) ~= "08c379a0" or abi.number(data:sub(9, 72)) ~= 32 then return nil end
  local length = abi.number(data:sub(73, 136))
  if not length or #data < 136 + 2 * length then return nil end
  return (data:sub(137, 136 + 2 * math.min(length, 200)):gsub("%x%x", function(byte)
    local code = tonumber(byte, 16)
    return code >= 32 and code < 127 and string.char(code) or "?"
  end))
end

--- The error of revert data: hex in lower case without 0x, "" when the node told nothing.
function reverts.error(data)
  local fields = { reason = "Reverted" }
  local row = known[data:sub(1, 8)]
  if row and read_arguments(row, data, fields) then
    fields.reason = row[1]
    local message = ("%s: %s%s"):format(row[1], row[2], numbers_text(fields))
    return errors.new(row.kind or "VerificationError", message, fields)
  end
  local message = "the contract reverted without a reason"
  if data ~= "" then message = "the contract reverted: " .. (error_text(data) or "0x" .. data:sub(1, 72)) end
  return errors.new("VerificationError", message, { reason = "Reverted" })
end

return reverts
