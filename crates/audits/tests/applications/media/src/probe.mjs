import { execFile, execSync } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

export const handler = async (event) => {
  for (const { s3 } of event.Records) {
    const key = decodeURIComponent(s3.object.key.replace(/\+/g, " "));
    await run("ffprobe", ["-v", "quiet", "--", `/tmp/${key.replace(/[^a-z0-9.]/gi, "_")}`]);
    execSync("df -h /tmp");
    const { stdout } = await shell(key);
    console.log("probed", s3.object.size);
  }
};

async function shell(name) {
  return execSync(`ffprobe "${name}"`); // weak: shell-injection
}
