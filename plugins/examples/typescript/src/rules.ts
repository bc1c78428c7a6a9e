import type { Problem } from "switchboard:plugin/types@0.1.0";

export interface Rules {
  perPurchase: number;
  expireDays: number;
  ask: string[];
  answer: string;
  thanks: string;
}

const WHOLE = "must be a whole number of at least 1";
const DAYS = "must be a whole number from 1 to 3650";
const POINTS = "must be a text that contains {points}";
const UNKNOWN = "is not known; known are answer, ask, expire_days, per_purchase, thanks";

/** Takes the rules from JSON. Throws every problem they have. */
export function readRules(json: string): Rules {
  const given: unknown = JSON.parse(json);
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw [{ path: "", message: "must be a table" }] satisfies Problem[];
  }
  const rules: Rules = {
    perPurchase: 10,
    expireDays: 365,
    ask: ["points"],
    answer: "You have {points} points.",
    thanks: "Thank you! You now have {points} points.",
  };
  const problems: Problem[] = [];
  for (const [key, value] of Object.entries(given)) {
    // As a JSON pointer wants it.
    const path = "/" + key.replaceAll("~", "~0").replaceAll("/", "~1");
    if (key === "per_purchase") {
      if (isWhole(value) && value >= 1) rules.perPurchase = value;
      else problems.push({ path, message: WHOLE });
    } else if (key === "expire_days") {
      if (isWhole(value) && value >= 1 && value <= 3650) rules.expireDays = value;
      else problems.push({ path, message: DAYS });
    } else if (key === "ask") {
      rules.ask = readAsk(value, problems);
    } else if (key === "answer" || key === "thanks") {
      if (typeof value === "string" && value.includes("{points}")) rules[key] = value;
      else problems.push({ path, message: POINTS });
    } else {
      problems.push({ path, message: UNKNOWN });
    }
  }
  if (problems.length > 0) {
    throw problems.sort((a, b) => (a.path < b.path ? -1 : 1));
  }
  return rules;
}

function readAsk(value: unknown, problems: Problem[]): string[] {
  if (!Array.isArray(value) || value.length === 0) {
    problems.push({ path: "/ask", message: "must be a list of at least one text" });
    return [];
  }
  return value.map((words: unknown, place) => {
    if (typeof words === "string" && words !== "") {
      return words.toLowerCase();
    }
    problems.push({ path: `/ask/${place}`, message: "must be a text that is not empty" });
    return "";
  });
}

function isWhole(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value);
}
