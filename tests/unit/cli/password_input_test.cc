#include "cli/password_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/execute.h"

namespace credcache::cli {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<std::string> Read(absl::string_view input, const std::string& path = "") {
  const Input in(input);
  std::ostringstream out;
  std::ostringstream err;
  Console console{in.descriptor(), -1, out, err};
  const absl::StatusOr<Password> password = ReadPassword(path, "Password: ", console);
  EXPECT_EQ(err.str(), "");  // nobody is asked
  if (!password.ok()) return password.status();
  return std::string(password->view());
}

TEST(PasswordInputTest, OneLineEndIsRemoved) {
  EXPECT_EQ(*Read("secret\n"), "secret");
  EXPECT_EQ(*Read("secret\r\n"), "secret");
  EXPECT_EQ(*Read("secret"), "secret");
  EXPECT_EQ(*Read("secret\n\n"), "secret\n");
  EXPECT_EQ(*Read(" secret "), " secret ");
}

TEST(PasswordInputTest, AnyBytesArePossible) {
  const std::string bytes("a\0\xff\nb", 5);
  EXPECT_EQ(*Read(bytes), bytes);
}

TEST(PasswordInputTest, AnEmptyOneIsTheServicesToReject) { EXPECT_EQ(*Read(""), ""); }

TEST(PasswordInputTest, AFileIsReadInsteadOfTheInput) {
  const std::string path = testing::TempDir() + "/password";
  std::ofstream(path) << "from file\n";
  EXPECT_EQ(*Read("from input\n", path), "from file");
  EXPECT_EQ(*Read("from input\n", "-"), "from input");
  std::filesystem::remove(path);
}

TEST(PasswordInputTest, AFileThatIsNotThereIsNamed) {
  EXPECT_THAT(std::string(Read("", "/nonexistent/password").status().message()),
              AllOf(HasSubstr("/nonexistent/password"), HasSubstr("No such file")));
}

TEST(PasswordInputTest, AFolderIsNoPassword) {
  EXPECT_EQ(Read("", testing::TempDir()).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(PasswordInputTest, TooLongIsSaidAndNotCut) {
  EXPECT_EQ(Read(std::string(Password::kCapacity - 1, 'x'))->size(), Password::kCapacity - 1);
  EXPECT_EQ(Read(std::string(Password::kCapacity, 'x')).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(PasswordTest, WipeLeavesNothingInTheSpareRoom) {
  std::string text = "a secret that is long enough not to be inside the string itself";
  const char* bytes = text.data();
  const size_t capacity = text.capacity();
  Wipe(text);
  EXPECT_TRUE(text.empty());
  ASSERT_EQ(text.data(), bytes);
  for (size_t i = 0; i < capacity; ++i) EXPECT_EQ(bytes[i], '\0');
}

}  // namespace
}  // namespace credcache::cli
