import hashlib, zlib, sys, ormsgpack
from lgckpt.errors import FrameError, UnsupportedFormatError, DecodeError
class core:
    BUILD_PROFILE="pure"
    @staticmethod
    def encode(o, default=None): return ormsgpack.packb(o, option=ormsgpack.OPT_NON_STR_KEYS)
    @staticmethod
    def decode(b, ext_hook=None): 
        try: return ormsgpack.unpackb(b, option=ormsgpack.OPT_NON_STR_KEYS)
        except ValueError as e: raise DecodeError(str(e)) from e
    @staticmethod
    def seal(d, codec): return b"\1"+zlib.crc32(d).to_bytes(4,"little")+zlib.compress(d,1)
    @staticmethod
    def unseal(f, max_len=0):
        if not f: raise FrameError("empty")
        if f[0]!=1: raise UnsupportedFormatError(f"frame version {f[0]}")
        try: d=zlib.decompress(f[5:])
        except zlib.error as e: raise FrameError(str(e)) from e
        if zlib.crc32(d).to_bytes(4,"little")!=f[1:5]: raise FrameError("checksum")
        return d
    @staticmethod
    def hash_chunk(l,d): return hashlib.blake2b(d,digest_size=20,person=b"lgckpt"+bytes([l])).digest()
    @staticmethod
    def seal_leaf(d,codec): return b"\0"+core.hash_chunk(0,d), core.seal(d,codec)
    @staticmethod
    def seal_root(size,head,refs,tail,codec):
        d=ormsgpack.packb([size,head,refs,tail]); return b"\xff"+core.hash_chunk(255,d), core.seal(d,codec)
    @staticmethod
    def children(level,frame):
        d=core.unseal(frame)
        if level==255: return ormsgpack.unpackb(d)[2]
        return b""
    @staticmethod
    def assemble(size,head,refs,tail,chunks):
        out=[head]
        for i in range(0,len(refs),21):
            h=refs[i+1:i+21]
            if h not in chunks: raise FrameError("missing chunk "+h.hex())
            d=core.unseal(chunks[h])
            if refs[i]==255:
                s,hd,r,t=ormsgpack.unpackb(d); out.append(core.assemble(s,hd,r,t,chunks))
            else: out.append(d)
        out.append(tail)
        b=b"".join(out)
        if len(b)!=size: raise FrameError("size")
        return b
    class Known:
        def __init__(self, refs=b"", hs=None): self.s=hs or {refs[i+1:i+21] for i in range(0,len(refs),21)}
        def __contains__(self,h): return h in self.s
        @property
        def nbytes(self): return len(self.s)*20
    class Tree:
        def __init__(self,data,structured):
            n=3000; k=len(data)//n
            self.size=len(data); self.head=b""; self.parts=[data[i*n:(i+1)*n] for i in range(k)]; self.tail=data[k*n:]
            self.refs=b"".join(b"\0"+core.hash_chunk(0,p) for p in self.parts)
        def unsent(self,known,codec):
            s=[];c=[]
            for p in self.parts:
                h=core.hash_chunk(0,p)
                if any(h in k for k in known): c.append(h)
                else: s.append((h,core.seal(p,codec)))
            return s,c
        def known(self): return core.Known(self.refs)
REASON="shim"
