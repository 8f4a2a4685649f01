#include "cli/hash_command.h"

#include <google/protobuf/struct.pb.h>

#include <CLI/Validators.hpp>
#include <map>

#include "absl/strings/str_cat.h"
#include "cli/error_report.h"
#include "cli/password_input.h"
#include "cli/utf8.h"

namespace credcache::cli {

CLI::App* DefineHash(CLI::App& app, HashOptions& options) {
  CLI::App* command = app.add_subcommand("hash", "Hash a password for the password file");
  const std::map<std::string, HashKind> kinds = {{"yescrypt", HashKind::kYescrypt},
                                                 {"argon2id", HashKind::kArgon2id},
                                                 {"sha512", HashKind::kSha512},
                                                 {"bcrypt", HashKind::kBcrypt}};
  command
      ->add_option_function<std::string>(
          "--kind", [&options, kinds](const std::string& kind) { options.kind = kinds.at(kind); },
          "yescrypt (default), argon2id, sha512 or bcrypt")
      ->check(CLI::IsMember({"yescrypt", "argon2id", "sha512", "bcrypt"}))
      ->type_name("KIND");
  command
      ->add_option_function<std::string>(
          "--user",
          [&options](const std::string& user) {
            options.user = user;
            options.whole_line = true;
          },
          "Write a whole line of the password file for this user")
      ->check(Utf8())
      ->type_name("NAME");
  command
      ->add_option(
          "--password-file", options.password_file,
          "Read the password from FILE; - or not given: ask twice at the terminal, else read the standard input")
      ->type_name("FILE");
  command->footer(
      "Examples:\n"
      "  credcachectl hash\n"
      "  credcachectl hash --kind argon2id --user alice >> users\n"
      "  printf %s \"$PASSWORD\" | credcachectl hash --kind bcrypt\n");
  return command;
}

ExitCode RunHash(const HashOptions& options, Console& console) {
  if (options.whole_line) {
    if (const absl::Status status = CheckFileUsername(options.user); !status.ok()) return ReportError(status, console);
  }
  const absl::StatusOr<Password> password = ReadNewPassword(options.password_file, "New password: ", console);
  if (!password.ok()) return ReportError(password.status(), console);
  const absl::StatusOr<std::string> hash = HashPassword(options.kind, *password);
  if (!hash.ok()) return ReportError(hash.status(), console);
  const std::string line = options.whole_line ? absl::StrCat(options.user, ":", *hash) : *hash;
  if (console.json) {
    google::protobuf::Struct object;
    auto& fields = *object.mutable_fields();
    fields["hash"].set_string_value(*hash);
    fields["line"].set_string_value(line);
    console.out << ToJson(object) << "\n";
  } else {
    console.out << line << "\n";
  }
  return ExitCode::kDone;
}

}  // namespace credcache::cli
