plugins {
  application
  id("com.gradleup.shadow") version "9.2.2"
}
java { toolchain { languageVersion = JavaLanguageVersion.of(21) } }
