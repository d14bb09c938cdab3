// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.shell;

import io.clowder.api.lock.Fence;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The lock that a write is done under: a mixin for commands that write. */
public final class FenceOption {
  @Option(
      names = "--fence",
      paramLabel = "RESOURCE:TOKEN",
      converter = FenceConverter.class,
      description = "Fail if the resource has seen a larger fencing token than this.")
  private @Nullable Fence fence;

  /** No fence, until the words say one. */
  public FenceOption() {}

  /** What the words said; null if nothing. */
  public @Nullable Fence fence() {
    return fence;
  }

  /** A resource may hold colons, a token does not. */
  private static final class FenceConverter implements ITypeConverter<Fence> {
    @Override
    public Fence convert(String text) {
      int colon = text.lastIndexOf(':');
      if (colon < 0) {
        throw new TypeConversionException("'" + text + "' is not RESOURCE:TOKEN");
      }
      String token = text.substring(colon + 1);
      try {
        return new Fence(text.substring(0, colon), Long.parseLong(token));
      } catch (NumberFormatException e) {
        throw new TypeConversionException("the token '" + token + "' is not a long");
      }
    }
  }
}
