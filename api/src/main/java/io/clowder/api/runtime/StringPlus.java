// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.runtime;

import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a service's property of the kind {@code String+} says: one value, an array, or a collection
 * (OSGi Compendium, "Common Namespaces"; whiteboard services have them).
 */
public final class StringPlus {
  private StringPlus() {}

  /** Its values in order; none if the property is missing. */
  public static List<String> of(@Nullable Object property) {
    if (property == null) {
      return List.of();
    }
    Stream<?> values =
        property instanceof Object[] several
            ? Stream.of(several)
            : property instanceof Collection<?> several ? several.stream() : Stream.of(property);
    return values.map(String::valueOf).toList();
  }
}
