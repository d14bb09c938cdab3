// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

/** A bundle as a later release of it would be. */
final class NewerBundle {
  private NewerBundle() {}

  /** Copies a bundle's jar, with another version. */
  static Path write(Path file, String symbolicName, String version) throws IOException {
    try (JarFile jar = new JarFile(BundleFiles.of(symbolicName).toFile())) {
      Manifest manifest = new Manifest(jar.getManifest());
      manifest.getMainAttributes().putValue("Bundle-Version", version);
      try (OutputStream out = Files.newOutputStream(file);
          JarOutputStream copy = new JarOutputStream(out, manifest)) {
        List<JarEntry> entries =
            jar.stream().filter(entry -> !entry.getName().equals(JarFile.MANIFEST_NAME)).toList();
        for (JarEntry entry : entries) {
          copy.putNextEntry(new JarEntry(entry.getName()));
          jar.getInputStream(entry).transferTo(copy);
          copy.closeEntry();
        }
      }
    }
    return file;
  }
}
