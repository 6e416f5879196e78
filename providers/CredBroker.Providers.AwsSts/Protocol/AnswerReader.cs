using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace CredBroker.Providers.AwsSts.Protocol;

/// <summary>
/// Reads answers of the Query protocol: no document type, no entities of their own, nothing from elsewhere, and no deeper or larger than such an answer
/// is. Unknown elements are ignored, namespaces too.
/// </summary>
internal static class AnswerReader
{
    /// <summary>The largest answer, in bytes: a page of roles with their trust policies is below it.</summary>
    public const int MaxBytes = 2 * 1024 * 1024;

    private const int MaxDepth = 32;

    /// <summary>The root element; null for what is not such a document.</summary>
    public static XElement? Read(byte[] body)
    {
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            MaxCharactersInDocument = MaxBytes,
            MaxCharactersFromEntities = 1024,
            IgnoreComments = true,
            IgnoreProcessingInstructions = true,
        };
        try
        {
            if (!IsShallow(body, settings)) return null;
            using var reader = XmlReader.Create(new MemoryStream(body), settings);
            return XElement.Load(reader);
        }
        catch (Exception e) when (e is XmlException or DecoderFallbackException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>The first element of a name below another, whatever its namespace and depth.</summary>
    public static XElement? Find(this XElement element, string name) => element.Descendants().FirstOrDefault(child => child.Name.LocalName == name);

    /// <summary>The direct child of a name.</summary>
    public static XElement? Child(this XElement element, string name) => element.Elements().FirstOrDefault(child => child.Name.LocalName == name);

    /// <summary>The text of a direct child; null where there is none.</summary>
    public static string? Text(this XElement element, string name) => element.Child(name)?.Value.Trim();

    /// <summary>The members of a list that is a direct child.</summary>
    public static IEnumerable<XElement> Members(this XElement element, string name) =>
        element.Child(name)?.Elements().Where(child => child.Name.LocalName == "member") ?? [];

    // A tree that is too deep would be walked by recursion later.
    private static bool IsShallow(byte[] body, XmlReaderSettings settings)
    {
        using var reader = XmlReader.Create(new MemoryStream(body), settings);
        while (reader.Read())
            if (reader.Depth > MaxDepth) return false;
        return true;
    }
}
