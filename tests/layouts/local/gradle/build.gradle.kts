plugins { alias(libs.plugins.shadow) }
java { toolchain { languageVersion = JavaLanguageVersion.of(21) } }
