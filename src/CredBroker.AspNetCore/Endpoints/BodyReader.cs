using System.Buffers;
using System.Text;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;

namespace CredBroker.AspNetCore.Endpoints;

/// <summary>Reads a body up to a limit.</summary>
internal static class BodyReader
{
    /// <summary>The raw bytes; null when there are more.</summary>
    public static async Task<byte[]?> ReadAsync(HttpRequest request, int most, CancellationToken cancellationToken)
    {
        if (request.ContentLength > most) return null;
        var buffer = new ArrayBufferWriter<byte>(4096);
        while (true)
        {
            var read = await request.Body.ReadAsync(buffer.GetMemory(4096), cancellationToken);
            if (read == 0) return buffer.WrittenSpan.ToArray();
            buffer.Advance(read);
            if (buffer.WrittenCount > most) return null;
        }
    }
}

/// <summary>Reads a form by name, without the framework's limits on keys and its guesses about encodings.</summary>
internal static class FormReader
{
    /// <summary>Every value of the name; what isn't valid UTF-8 is no value.</summary>
    public static IEnumerable<string> Values(byte[] form, string name)
    {
        if (!Utf8.IsValid(form)) return [];
        return Encoding.UTF8.GetString(form).Split('&')
            .Select(pair => pair.Split('=', 2))
            .Where(pair => pair.Length == 2 && pair[0] == name)
            .Select(pair => Uri.UnescapeDataString(pair[1].Replace('+', ' ')));
    }
}
