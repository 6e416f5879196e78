using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using CredBroker.Cedar;

namespace CredBroker.Policies;

/// <summary>
/// SHA-256 over a question in one spelling: names in ordinal order, sets and parents too, each value with its type and each text with its length, so that no
/// two questions are spelled alike.
/// </summary>
internal sealed class QuestionHash
{
    private readonly ArrayBufferWriter<byte> _bytes;

    private QuestionHash(int size) => _bytes = new(size);

    public static string Of(Question question)
    {
        var hash = new QuestionHash(4096);
        hash.Add(question.Principal);
        hash.Add(question.Action);
        hash.Add(question.Resource);
        hash.Add(question.ContextRecord);
        foreach (var entity in question.Entities.OrderBy(entity => entity.Uid.Type, StringComparer.Ordinal).ThenBy(entity => entity.Uid.Id, StringComparer.Ordinal)) hash.Add(entity);
        return Convert.ToHexStringLower(SHA256.HashData(hash._bytes.WrittenSpan));
    }

    private void Add(Entity entity)
    {
        Add(entity.Uid);
        Add(entity.Attributes);
        Add(entity.Tags);
        AddInOrder(entity.Parents);
    }

    private void Add(CedarValue value)
    {
        switch (value)
        {
            case CedarBool b:
                Add('b', b.Value ? 1 : 0);
                break;
            case CedarLong number:
                Add('l', number.Value);
                break;
            case CedarString text:
                Add(text.Value);
                break;
            case EntityUid uid:
                Add('e', 0);
                Add(uid.Type);
                Add(uid.Id);
                break;
            case CedarRecord record:
                Add('r', record.Attributes.Count);
                foreach (var (name, attribute) in record.Attributes.OrderBy(attribute => attribute.Key, StringComparer.Ordinal))
                {
                    Add(name);
                    Add(attribute);
                }

                break;
            case CedarSet set:
                AddInOrder(set.Elements);
                break;
            default:
                Add('x', 0);
                Add(value.TypeName);
                Add(value.ToString()!);
                break;
        }
    }

    // A set's members have no order of their own: each is spelled by itself, and these are sorted.
    private void AddInOrder(IEnumerable<CedarValue> values)
    {
        var spelled = values.Select(value =>
        {
            var one = new QuestionHash(64);
            one.Add(value);
            return one._bytes.WrittenMemory;
        }).ToList();
        spelled.Sort(static (left, right) => left.Span.SequenceCompareTo(right.Span));
        Add('s', spelled.Count);
        foreach (var one in spelled) _bytes.Write(one.Span);
    }

    private void Add(string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        Add('t', length);
        Encoding.UTF8.GetBytes(text, _bytes);
    }

    private void Add(char kind, long number)
    {
        var place = _bytes.GetSpan(9);
        place[0] = (byte)kind;
        BinaryPrimitives.WriteInt64BigEndian(place[1..], number);
        _bytes.Advance(9);
    }
}
